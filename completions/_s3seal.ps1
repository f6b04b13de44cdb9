
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 's3seal' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        's3seal'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        's3seal' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile of the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The AWS region')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'The service''s address, for servers other than AWS')
            [CompletionResult]::new('--ca-bundle', '--ca-bundle', [CompletionResultType]::ParameterName, 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]')
            [CompletionResult]::new('--max-attempts', '--max-attempts', [CompletionResultType]::ParameterName, 'How often a request is tried in all')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long to wait for a connection, such as 10s')
            [CompletionResult]::new('--read-timeout', '--read-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the next bytes, such as 1m')
            [CompletionResult]::new('--expected-bucket-owner', '--expected-bucket-owner', [CompletionResultType]::ParameterName, 'The account that must own the bucket')
            [CompletionResult]::new('--request-payer', '--request-payer', [CompletionResultType]::ParameterName, 'Agree to pay for the requests (Requester Pays buckets)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write the outcome as one JSON document to standard output')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Name the bucket in the path, not in the host name')
            [CompletionResult]::new('--fips', '--fips', [CompletionResultType]::ParameterName, 'Use FIPS endpoints')
            [CompletionResult]::new('--dualstack', '--dualstack', [CompletionResultType]::ParameterName, 'Use endpoints that speak IPv6 too')
            [CompletionResult]::new('--no-sign-request', '--no-sign-request', [CompletionResultType]::ParameterName, 'Send requests without credentials')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow SSE-C over http to an endpoint on this machine, and nowhere else')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'Store a file, standard input or a command''s output, encrypted')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Fetch an object, opened and verified')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show how objects and buckets are encrypted, and audit them')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a new 256-bit key in a file that only you can read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        's3seal;put' {
            [CompletionResult]::new('--expected-size', '--expected-size', [CompletionResultType]::ParameterName, 'How much standard input or a command will come to, so that parts fit')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'How the object is encrypted [default: what the bucket does by itself]')
            [CompletionResult]::new('--encrypt', '--encrypt', [CompletionResultType]::ParameterName, 'How the object is encrypted [default: what the bucket does by itself]')
            [CompletionResult]::new('--kms-key', '--kms-key', [CompletionResultType]::ParameterName, 'The KMS key: id, ARN or alias/NAME [sse-kms, dsse-kms: else the account''s aws/s3 key]')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'A pair of the encryption context, in plain sight of KMS and its logs; repeatable')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Where the 256-bit key is: file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt')
            [CompletionResult]::new('--public-key', '--public-key', [CompletionResultType]::ParameterName, 'The RSA public key (PEM) to seal with; its private key opens [client]')
            [CompletionResult]::new('--passphrase', '--passphrase', [CompletionResultType]::ParameterName, 'Where the passphrase is; without a value it is asked for [client]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The client-side format [default: s3ec; esdk beyond 64 GiB or for unknown lengths]')
            [CompletionResult]::new('--at-rest', '--at-rest', [CompletionResultType]::ParameterName, 'What S3 does to the sealed bytes: sse-s3, sse-kms[:KEY] or dsse-kms[:KEY] [client]')
            [CompletionResult]::new('--frame-length', '--frame-length', [CompletionResultType]::ParameterName, 'Bytes of plain text in a frame [client: esdk; default: 64KiB]')
            [CompletionResult]::new('--key-name', '--key-name', [CompletionResultType]::ParameterName, 'The name by which other programs ask for a raw key [client: esdk; default: s3seal/FINGERPRINT]')
            [CompletionResult]::new('--content-type', '--content-type', [CompletionResultType]::ParameterName, 'The content type [default: guessed from the name]')
            [CompletionResult]::new('--metadata', '--metadata', [CompletionResultType]::ParameterName, 'A pair of the object''s metadata; repeatable')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'A tag; repeatable, up to ten')
            [CompletionResult]::new('--storage-class', '--storage-class', [CompletionResultType]::ParameterName, 'The storage class in S3''s word, such as STANDARD_IA')
            [CompletionResult]::new('--acl', '--acl', [CompletionResultType]::ParameterName, 'A canned ACL')
            [CompletionResult]::new('--cache-control', '--cache-control', [CompletionResultType]::ParameterName, 'The Cache-Control header')
            [CompletionResult]::new('--content-encoding', '--content-encoding', [CompletionResultType]::ParameterName, 'The Content-Encoding header')
            [CompletionResult]::new('--content-disposition', '--content-disposition', [CompletionResultType]::ParameterName, 'The Content-Disposition header')
            [CompletionResult]::new('--content-language', '--content-language', [CompletionResultType]::ParameterName, 'The Content-Language header')
            [CompletionResult]::new('--if-match', '--if-match', [CompletionResultType]::ParameterName, 'Store only if the key''s object still has this ETag')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many requests at once; memory is about JOBS × part size [default: 8]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many requests at once; memory is about JOBS × part size [default: 8]')
            [CompletionResult]::new('--part-size', '--part-size', [CompletionResultType]::ParameterName, 'Bytes of one request, such as 16MiB; grows where S3 needs it [default: 8MiB]')
            [CompletionResult]::new('--checksum', '--checksum', [CompletionResultType]::ParameterName, 'The checksum to compute, send and store [default: crc64nvme]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile of the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The AWS region')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'The service''s address, for servers other than AWS')
            [CompletionResult]::new('--ca-bundle', '--ca-bundle', [CompletionResultType]::ParameterName, 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]')
            [CompletionResult]::new('--max-attempts', '--max-attempts', [CompletionResultType]::ParameterName, 'How often a request is tried in all')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long to wait for a connection, such as 10s')
            [CompletionResult]::new('--read-timeout', '--read-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the next bytes, such as 1m')
            [CompletionResult]::new('--expected-bucket-owner', '--expected-bucket-owner', [CompletionResultType]::ParameterName, 'The account that must own the bucket')
            [CompletionResult]::new('--request-payer', '--request-payer', [CompletionResultType]::ParameterName, 'Agree to pay for the requests (Requester Pays buckets)')
            [CompletionResult]::new('--from-command', '--from-command', [CompletionResultType]::ParameterName, 'Store a command''s output, and only if the command succeeds')
            [CompletionResult]::new('--fail-if-empty', '--fail-if-empty', [CompletionResultType]::ParameterName, 'Store nothing, and fail, if there is not a single byte')
            [CompletionResult]::new('--bucket-key', '--bucket-key', [CompletionResultType]::ParameterName, 'Let S3 use a bucket key, which saves requests to KMS [sse-kms]')
            [CompletionResult]::new('--instruction-file', '--instruction-file', [CompletionResultType]::ParameterName, 'Keep the envelope in an instruction file beside the object [client: s3ec, s3ec-v2]')
            [CompletionResult]::new('--allow-open-key-file', '--allow-open-key-file', [CompletionResultType]::ParameterName, 'Accept a key file that others can read')
            [CompletionResult]::new('--no-clobber', '--no-clobber', [CompletionResultType]::ParameterName, 'Store only if the key has no object yet')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write the outcome as one JSON document to standard output')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Name the bucket in the path, not in the host name')
            [CompletionResult]::new('--fips', '--fips', [CompletionResultType]::ParameterName, 'Use FIPS endpoints')
            [CompletionResult]::new('--dualstack', '--dualstack', [CompletionResultType]::ParameterName, 'Use endpoints that speak IPv6 too')
            [CompletionResult]::new('--no-sign-request', '--no-sign-request', [CompletionResultType]::ParameterName, 'Send requests without credentials')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow SSE-C over http to an endpoint on this machine, and nowhere else')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        's3seal;get' {
            [CompletionResult]::new('--version-id', '--version-id', [CompletionResultType]::ParameterName, 'The version to fetch')
            [CompletionResult]::new('--range', '--range', [CompletionResultType]::ParameterName, 'Bytes to fetch: FIRST-LAST, FIRST- or -COUNT')
            [CompletionResult]::new('--if-match', '--if-match', [CompletionResultType]::ParameterName, 'Fetch only if the object still has this ETag')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Fail unless the object is encrypted in this mode; keys serve for nothing else')
            [CompletionResult]::new('--encrypt', '--encrypt', [CompletionResultType]::ParameterName, 'Fail unless the object is encrypted in this mode; keys serve for nothing else')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Where a 256-bit key is: file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt; repeatable')
            [CompletionResult]::new('--private-key', '--private-key', [CompletionResultType]::ParameterName, 'Where an RSA private key (PEM) is; repeatable')
            [CompletionResult]::new('--passphrase', '--passphrase', [CompletionResultType]::ParameterName, 'Where a passphrase is; without a value it is asked for; repeatable')
            [CompletionResult]::new('--kms-key', '--kms-key', [CompletionResultType]::ParameterName, 'A KMS key that may open the object, which does not choose by itself; repeatable')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'A pair of the encryption context that the object must have; repeatable')
            [CompletionResult]::new('--allow-legacy', '--allow-legacy', [CompletionResultType]::ParameterName, 'Open formats that prove less than today''s')
            [CompletionResult]::new('--instruction-suffix', '--instruction-suffix', [CompletionResultType]::ParameterName, 'The suffix of the instruction file''s key [default: .instruction]')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many requests at once; memory is about JOBS × part size [default: 8]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many requests at once; memory is about JOBS × part size [default: 8]')
            [CompletionResult]::new('--part-size', '--part-size', [CompletionResultType]::ParameterName, 'Bytes of one request, such as 16MiB; grows where S3 needs it [default: 8MiB]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile of the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The AWS region')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'The service''s address, for servers other than AWS')
            [CompletionResult]::new('--ca-bundle', '--ca-bundle', [CompletionResultType]::ParameterName, 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]')
            [CompletionResult]::new('--max-attempts', '--max-attempts', [CompletionResultType]::ParameterName, 'How often a request is tried in all')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long to wait for a connection, such as 10s')
            [CompletionResult]::new('--read-timeout', '--read-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the next bytes, such as 1m')
            [CompletionResult]::new('--expected-bucket-owner', '--expected-bucket-owner', [CompletionResultType]::ParameterName, 'The account that must own the bucket')
            [CompletionResult]::new('--request-payer', '--request-payer', [CompletionResultType]::ParameterName, 'Agree to pay for the requests (Requester Pays buckets)')
            [CompletionResult]::new('--no-clobber', '--no-clobber', [CompletionResultType]::ParameterName, 'Do not replace a file')
            [CompletionResult]::new('--unproven', '--unproven', [CompletionResultType]::ParameterName, 'Let bytes go to standard output before they are proven')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'Fetch a client-side object''s sealed bytes as they are, for other programs')
            [CompletionResult]::new('--kms-discovery', '--kms-discovery', [CompletionResultType]::ParameterName, 'Let the object choose the KMS key: any that the credentials may use')
            [CompletionResult]::new('--allow-open-key-file', '--allow-open-key-file', [CompletionResultType]::ParameterName, 'Accept a key file that others can read')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write the outcome as one JSON document to standard output')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Name the bucket in the path, not in the host name')
            [CompletionResult]::new('--fips', '--fips', [CompletionResultType]::ParameterName, 'Use FIPS endpoints')
            [CompletionResult]::new('--dualstack', '--dualstack', [CompletionResultType]::ParameterName, 'Use endpoints that speak IPv6 too')
            [CompletionResult]::new('--no-sign-request', '--no-sign-request', [CompletionResultType]::ParameterName, 'Send requests without credentials')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow SSE-C over http to an endpoint on this machine, and nowhere else')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        's3seal;inspect' {
            [CompletionResult]::new('--version-id', '--version-id', [CompletionResultType]::ParameterName, 'The version to look at')
            [CompletionResult]::new('--inventory', '--inventory', [CompletionResultType]::ParameterName, 'Audit from the S3 Inventory report of this manifest, without a request an object')
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Take only keys that fit PATTERN (*, ?, […]); repeatable')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out keys that fit PATTERN; repeatable, the last that fits decides')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many requests at once [default: 32]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many requests at once [default: 32]')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What objects should be, such as sse-kms or client; repeatable: any will do')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write table, json, ndjson or csv [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the sum as an HTML page, too')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Where a 256-bit key is: opens the view on SSE-C objects; repeatable')
            [CompletionResult]::new('--private-key', '--private-key', [CompletionResultType]::ParameterName, 'Where an RSA private key (PEM) is; repeatable')
            [CompletionResult]::new('--passphrase', '--passphrase', [CompletionResultType]::ParameterName, 'Where a passphrase is; without a value it is asked for; repeatable')
            [CompletionResult]::new('--instruction-suffix', '--instruction-suffix', [CompletionResultType]::ParameterName, 'The suffix of the instruction file''s key [default: .instruction]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile of the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The AWS region')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'The service''s address, for servers other than AWS')
            [CompletionResult]::new('--ca-bundle', '--ca-bundle', [CompletionResultType]::ParameterName, 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]')
            [CompletionResult]::new('--max-attempts', '--max-attempts', [CompletionResultType]::ParameterName, 'How often a request is tried in all')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long to wait for a connection, such as 10s')
            [CompletionResult]::new('--read-timeout', '--read-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the next bytes, such as 1m')
            [CompletionResult]::new('--expected-bucket-owner', '--expected-bucket-owner', [CompletionResultType]::ParameterName, 'The account that must own the bucket')
            [CompletionResult]::new('--request-payer', '--request-payer', [CompletionResultType]::ParameterName, 'Agree to pay for the requests (Requester Pays buckets)')
            [CompletionResult]::new('--all-versions', '--all-versions', [CompletionResultType]::ParameterName, 'Look at all versions, not only the newest')
            [CompletionResult]::new('--bucket-only', '--bucket-only', [CompletionResultType]::ParameterName, 'Look at the bucket itself, not at what is in it')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Also look for client-side formats that leave no sign in the metadata: a request or two more an object')
            [CompletionResult]::new('--only-unexpected', '--only-unexpected', [CompletionResultType]::ParameterName, 'Write rows only of what is not as expected')
            [CompletionResult]::new('--allow-open-key-file', '--allow-open-key-file', [CompletionResultType]::ParameterName, 'Accept a key file that others can read')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write the outcome as one JSON document to standard output')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Name the bucket in the path, not in the host name')
            [CompletionResult]::new('--fips', '--fips', [CompletionResultType]::ParameterName, 'Use FIPS endpoints')
            [CompletionResult]::new('--dualstack', '--dualstack', [CompletionResultType]::ParameterName, 'Use endpoints that speak IPv6 too')
            [CompletionResult]::new('--no-sign-request', '--no-sign-request', [CompletionResultType]::ParameterName, 'Send requests without credentials')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow SSE-C over http to an endpoint on this machine, and nowhere else')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        's3seal;keygen' {
            [CompletionResult]::new('--form', '--form', [CompletionResultType]::ParameterName, 'How the key is written')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile of the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The AWS region')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'The service''s address, for servers other than AWS')
            [CompletionResult]::new('--ca-bundle', '--ca-bundle', [CompletionResultType]::ParameterName, 'PEM file of the CA certificates to trust [else $AWS_CA_BUNDLE, else the system''s]')
            [CompletionResult]::new('--max-attempts', '--max-attempts', [CompletionResultType]::ParameterName, 'How often a request is tried in all')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long to wait for a connection, such as 10s')
            [CompletionResult]::new('--read-timeout', '--read-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the next bytes, such as 1m')
            [CompletionResult]::new('--expected-bucket-owner', '--expected-bucket-owner', [CompletionResultType]::ParameterName, 'The account that must own the bucket')
            [CompletionResult]::new('--request-payer', '--request-payer', [CompletionResultType]::ParameterName, 'Agree to pay for the requests (Requester Pays buckets)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is decided; twice: every request, without secrets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write the outcome as one JSON document to standard output')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Name the bucket in the path, not in the host name')
            [CompletionResult]::new('--fips', '--fips', [CompletionResultType]::ParameterName, 'Use FIPS endpoints')
            [CompletionResult]::new('--dualstack', '--dualstack', [CompletionResultType]::ParameterName, 'Use endpoints that speak IPv6 too')
            [CompletionResult]::new('--no-sign-request', '--no-sign-request', [CompletionResultType]::ParameterName, 'Send requests without credentials')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow SSE-C over http to an endpoint on this machine, and nowhere else')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        's3seal;help' {
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'Store a file, standard input or a command''s output, encrypted')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Fetch an object, opened and verified')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show how objects and buckets are encrypted, and audit them')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a new 256-bit key in a file that only you can read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        's3seal;help;put' {
            break
        }
        's3seal;help;get' {
            break
        }
        's3seal;help;inspect' {
            break
        }
        's3seal;help;keygen' {
            break
        }
        's3seal;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
