
use builtin;
use str;

set edit:completion:arg-completer[s3seal] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 's3seal'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'s3seal'= {
            cand --progress 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never'
            cand --color 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --profile 'The profile of the AWS configuration files'
            cand --region 'The AWS region'
            cand --endpoint-url 'The service''s address, for servers other than AWS'
            cand --ca-bundle 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]'
            cand --max-attempts 'How often a request is tried in all'
            cand --connect-timeout 'How long to wait for a connection, such as 10s'
            cand --read-timeout 'How long to wait for the next bytes, such as 1m'
            cand --expected-bucket-owner 'The account that must own the bucket'
            cand --request-payer 'Agree to pay for the requests (Requester Pays buckets)'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Say what is decided; twice: every request, without secrets'
            cand --verbose 'Say what is decided; twice: every request, without secrets'
            cand --json 'Write the outcome as one JSON document to standard output'
            cand --path-style 'Name the bucket in the path, not in the host name'
            cand --fips 'Use FIPS endpoints'
            cand --dualstack 'Use endpoints that speak IPv6 too'
            cand --no-sign-request 'Send requests without credentials'
            cand --allow-http 'Allow SSE-C over http to an endpoint on this machine, and nowhere else'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand put 'Store a file, standard input or a command''s output, encrypted'
            cand get 'Fetch an object, opened and verified'
            cand keygen 'Make a new 256-bit key in a file that only you can read'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'s3seal;put'= {
            cand --expected-size 'How much standard input or a command will come to, so that parts fit'
            cand -e 'How the object is encrypted [default: what the bucket does by itself]'
            cand --encrypt 'How the object is encrypted [default: what the bucket does by itself]'
            cand --kms-key 'The KMS key: id, ARN or alias/NAME [sse-kms, dsse-kms: else the account''s aws/s3 key]'
            cand --context 'A pair of the encryption context, in plain sight of KMS and its logs; repeatable'
            cand --key 'Where the 256-bit key is: file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt'
            cand --public-key 'The RSA public key (PEM) to seal with; its private key opens [client]'
            cand --passphrase 'Where the passphrase is; without a value it is asked for [client]'
            cand --format 'The client-side format [default: s3ec; esdk beyond 64 GiB or for unknown lengths]'
            cand --at-rest 'What S3 does to the sealed bytes: sse-s3, sse-kms[:KEY] or dsse-kms[:KEY] [client]'
            cand --frame-length 'Bytes of plain text in a frame [client: esdk; default: 64KiB]'
            cand --content-type 'The content type [default: guessed from the name]'
            cand --metadata 'A pair of the object''s metadata; repeatable'
            cand --tag 'A tag; repeatable, up to ten'
            cand --storage-class 'The storage class in S3''s word, such as STANDARD_IA'
            cand --acl 'A canned ACL'
            cand --cache-control 'The Cache-Control header'
            cand --content-encoding 'The Content-Encoding header'
            cand --content-disposition 'The Content-Disposition header'
            cand --content-language 'The Content-Language header'
            cand --if-match 'Store only if the key''s object still has this ETag'
            cand -j 'How many requests at once; memory is about JOBS × part size [default: 8]'
            cand --jobs 'How many requests at once; memory is about JOBS × part size [default: 8]'
            cand --part-size 'Bytes of one request, such as 16MiB; grows where S3 needs it [default: 8MiB]'
            cand --checksum 'The checksum to compute, send and store [default: crc64nvme]'
            cand --progress 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never'
            cand --color 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --profile 'The profile of the AWS configuration files'
            cand --region 'The AWS region'
            cand --endpoint-url 'The service''s address, for servers other than AWS'
            cand --ca-bundle 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]'
            cand --max-attempts 'How often a request is tried in all'
            cand --connect-timeout 'How long to wait for a connection, such as 10s'
            cand --read-timeout 'How long to wait for the next bytes, such as 1m'
            cand --expected-bucket-owner 'The account that must own the bucket'
            cand --request-payer 'Agree to pay for the requests (Requester Pays buckets)'
            cand --from-command 'Store a command''s output, and only if the command succeeds'
            cand --fail-if-empty 'Store nothing, and fail, if there is not a single byte'
            cand --bucket-key 'Let S3 use a bucket key, which saves requests to KMS [sse-kms]'
            cand --instruction-file 'Keep the envelope in an instruction file beside the object [client: s3ec, s3ec-v2]'
            cand --allow-open-key-file 'Accept a key file that others can read'
            cand --no-clobber 'Store only if the key has no object yet'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Say what is decided; twice: every request, without secrets'
            cand --verbose 'Say what is decided; twice: every request, without secrets'
            cand --json 'Write the outcome as one JSON document to standard output'
            cand --path-style 'Name the bucket in the path, not in the host name'
            cand --fips 'Use FIPS endpoints'
            cand --dualstack 'Use endpoints that speak IPv6 too'
            cand --no-sign-request 'Send requests without credentials'
            cand --allow-http 'Allow SSE-C over http to an endpoint on this machine, and nowhere else'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'s3seal;get'= {
            cand --version-id 'The version to fetch'
            cand --range 'Bytes to fetch: FIRST-LAST, FIRST- or -COUNT'
            cand --if-match 'Fetch only if the object still has this ETag'
            cand -e 'Fail unless the object is encrypted in this mode; keys serve for nothing else'
            cand --encrypt 'Fail unless the object is encrypted in this mode; keys serve for nothing else'
            cand --key 'Where a 256-bit key is: file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt; repeatable'
            cand --private-key 'Where an RSA private key (PEM) is; repeatable'
            cand --passphrase 'Where a passphrase is; without a value it is asked for; repeatable'
            cand --kms-key 'A KMS key that may open the object, which does not choose by itself; repeatable'
            cand --context 'A pair of the encryption context that the object must have; repeatable'
            cand --allow-legacy 'Open formats that prove less than today''s'
            cand --instruction-suffix 'The suffix of the instruction file''s key [default: .instruction]'
            cand -j 'How many requests at once; memory is about JOBS × part size [default: 8]'
            cand --jobs 'How many requests at once; memory is about JOBS × part size [default: 8]'
            cand --part-size 'Bytes of one request, such as 16MiB; grows where S3 needs it [default: 8MiB]'
            cand --progress 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never'
            cand --color 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --profile 'The profile of the AWS configuration files'
            cand --region 'The AWS region'
            cand --endpoint-url 'The service''s address, for servers other than AWS'
            cand --ca-bundle 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]'
            cand --max-attempts 'How often a request is tried in all'
            cand --connect-timeout 'How long to wait for a connection, such as 10s'
            cand --read-timeout 'How long to wait for the next bytes, such as 1m'
            cand --expected-bucket-owner 'The account that must own the bucket'
            cand --request-payer 'Agree to pay for the requests (Requester Pays buckets)'
            cand --no-clobber 'Do not replace a file'
            cand --unproven 'Let bytes go to standard output before they are proven'
            cand --allow-open-key-file 'Accept a key file that others can read'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Say what is decided; twice: every request, without secrets'
            cand --verbose 'Say what is decided; twice: every request, without secrets'
            cand --json 'Write the outcome as one JSON document to standard output'
            cand --path-style 'Name the bucket in the path, not in the host name'
            cand --fips 'Use FIPS endpoints'
            cand --dualstack 'Use endpoints that speak IPv6 too'
            cand --no-sign-request 'Send requests without credentials'
            cand --allow-http 'Allow SSE-C over http to an endpoint on this machine, and nowhere else'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'s3seal;keygen'= {
            cand --form 'How the key is written'
            cand --progress 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never'
            cand --color 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --profile 'The profile of the AWS configuration files'
            cand --region 'The AWS region'
            cand --endpoint-url 'The service''s address, for servers other than AWS'
            cand --ca-bundle 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]'
            cand --max-attempts 'How often a request is tried in all'
            cand --connect-timeout 'How long to wait for a connection, such as 10s'
            cand --read-timeout 'How long to wait for the next bytes, such as 1m'
            cand --expected-bucket-owner 'The account that must own the bucket'
            cand --request-payer 'Agree to pay for the requests (Requester Pays buckets)'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -v 'Say what is decided; twice: every request, without secrets'
            cand --verbose 'Say what is decided; twice: every request, without secrets'
            cand --json 'Write the outcome as one JSON document to standard output'
            cand --path-style 'Name the bucket in the path, not in the host name'
            cand --fips 'Use FIPS endpoints'
            cand --dualstack 'Use endpoints that speak IPv6 too'
            cand --no-sign-request 'Send requests without credentials'
            cand --allow-http 'Allow SSE-C over http to an endpoint on this machine, and nowhere else'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'s3seal;help'= {
            cand put 'Store a file, standard input or a command''s output, encrypted'
            cand get 'Fetch an object, opened and verified'
            cand keygen 'Make a new 256-bit key in a file that only you can read'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'s3seal;help;put'= {
        }
        &'s3seal;help;get'= {
        }
        &'s3seal;help;keygen'= {
        }
        &'s3seal;help;help'= {
        }
    ]
    $completions[$command]
}
