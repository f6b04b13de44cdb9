//! What the man page of each verb says besides its flags: what it does, and which files it reads and writes.
//!
//! Flags and examples come from the command line's definition; a test detects flags in the text that do not exist.

/// The man page of a verb, as far as it is written by hand.
pub(crate) struct VerbPage {
    /// The verb.
    pub(crate) verb: &'static str,
    /// What it does; a paragraph each.
    pub(crate) description: &'static [&'static str],
    /// Files that this verb alone has: the path and what is in it.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// The description of the program itself.
pub(crate) const PROGRAM: &[&str] = &[
    "s3seal stores, fetches, inspects and rotates objects in Amazon S3: with each of S3's encryption modes, and \
     encrypted before they leave this machine, in the formats of the Amazon S3 Encryption Client and of the AWS \
     Encryption SDK. Objects in these formats can be opened without s3seal.",
    "Results go to standard output and everything else to standard error. Of many objects the failures are named and \
     a summary is printed; --verbose names all of them. With --json an outcome is one document \
     for each object; s3seal-json(7) describes it. What is asked of S3 is compared with its answer, and what is \
     fetched is verified before it counts.",
    "Each verb has its own page. s3seal-recipes(7) has commands for common tasks, and s3seal-iam(7) the permissions \
     that each verb needs.",
];

/// All of them.
pub(crate) const VERBS: [VerbPage; 7] = [
    VerbPage {
        verb: "put",
        description: &[
            "Stores each SOURCE as an object: a file, standard input (-), the output of a command \
             (--from-command), or with --recursive all files below a directory. If the target is a bucket, or ends \
             in /, each object takes the name of its source. At a terminal, put - says that it reads from it.",
            "With --recursive the patterns of --include and --exclude are compared with the whole name below the \
             directory, and * matches / too. The last one that matches decides; a name that none matches is taken, \
             unless the first pattern is an --include. So --exclude '*' --include '*.jpg' --exclude 'old/*' takes the \
             .jpg files outside old/. If no file is taken, the exit status is 3; pipes and devices are no files, \
             and the temporary files of s3seal-get(1) are skipped.",
            "With --update a file is stored only if the target does not have it, if its length differs from the one \
             that it would have there, or if it was written in the second in which the object was stored, or later. \
             A listing shows all that, so there is no request for an object that stays. What is encrypted in \
             another mode but has the same length stays: s3seal-rotate(1) changes modes and keys.",
            "With --delete the objects under the target that the directory no longer has are deleted, after \
             everything else went well. Their number is checked (--max-delete) and asked about before anything is \
             stored. An object that may be the envelope (.instruction) of another one stays. In a bucket with \
             versions a delete marker hides the object. The names of --files-from are paths below the directory; with \
             an empty list there is nothing to do.",
            "--manifest writes a list of what is stored under the target: names, lengths, checksums, ETags and versions, and \
             with --update also what stays, of which a listing shows only size and ETag. It is at its place only when the run has stored \
             everything: if a file fails, or the run is stopped, what was there before stays. An object in S3 is \
             encrypted as all others of the run. inspect --manifest compares the target with it later; \
             s3seal-formats(7) describes it.",
            "A file's modification time is stored as the metadata entry mtime, in seconds since 1970, as rclone does \
             it; --metadata mtime=TIME stores another one.",
            "Without --encrypt and without a key the rule for the target applies (s3seal-config(7)), or else the \
             bucket's default encryption, and the outcome says which mode S3 used. A key implies its mode: --sse-c-key \
             is sse-c; --key, --public-key and --passphrase are client. In the mode client the bytes are encrypted on this machine, as the Amazon S3 Encryption \
             Client does it (s3ec) or as the AWS Encryption SDK does it (esdk), and the key is not sent anywhere. \
             The key of sse-c goes to S3 with each request, over HTTPS.",
            "A source that is larger than one part is uploaded in parts, several at once. Memory is that of 8 \
             parts, or of as many as --jobs, however large the object is. Parts grow where the limit of 10,000 \
             parts asks for it. A checksum is computed on this machine and sent along, and S3 verifies it.",
            "S3's answer must name the mode and the key that were asked for. Otherwise the exit status is 6, and \
             the message names what is stored now and the command that removes it. What the key held before stays \
             until the new object is complete.",
            "An upload of a file in parts that the network, a signal or a crash cuts off goes on with the same command: \
             the file is read again, and what S3 does not have is sent. A file that has changed, other options and \
             --no-resume start anew and abort the old upload. When it goes on, days in --retain-until \
             count from the run that began it, and the outcome says until when; if that was a day ago or longer, or the lock is \
             for one day, it starts anew. A client-side upload starts anew with a new data key, and the one that a crash cut off is aborted then. Streams and what \
             failed otherwise abort theirs. An upload that could not be aborted is named with the command \
             that removes it.",
            "--lock-mode with --retain-until, and --legal-hold, lock the version that is stored with S3 Object Lock, \
             which the bucket must have. Afterwards s3seal reads the lock: if S3 does not show it as it was asked \
             for, the exit status is 6, and if it may not be read, the object is stored, and the exit status is 4. A \
             version in the mode compliance can be deleted by nobody before its date, and costs as long.",
        ],
        files: &[
            (
                "$XDG_STATE_HOME/s3seal/put-*.json",
                "Records of uploads under way, readable by their owner only; ~/.local/state/s3seal/ if XDG_STATE_HOME is \
                 not set. A record names an object and an upload, but no keys. It is removed when its upload is complete. \
                 An upload with which no run can go on has one as long as its run is at work, for s3seal-cleanup(1).",
            ),
            (
                "$XDG_STATE_HOME/s3seal/instruction-*.json",
                "An instruction file that is replaced just before its object. It stays if put is killed in between, or cannot \
                 put the file back: then the old object cannot be opened with the new file. The next put to the same object \
                 stores both anew, or puts the old file back if it fails. By hand: what old says in the last line is the \
                 content of the object that uri names. s3seal-cleanup(1) leaves it.",
            ),
        ],
    },
    VerbPage {
        verb: "get",
        description: &[
            "Fetches an object, decrypts it and verifies it. A file is replaced only when everything is verified: \
             until then the bytes are in a temporary file in the same directory, which nobody else can read. A symbolic \
             link stays: the file to which it leads is replaced, or made. With \
             --recursive all objects under a prefix are fetched, each to its name below the directory. A key that \
             would lead out of the directory is refused. A directory that is named with a / at its end, or with \
             --recursive, is made. --include and --exclude choose as in s3seal-put(1); if they take no object, the \
             exit status is 3. An empty object whose key ends in / is a directory; one with content cannot be a file \
             below a directory, and goes to standard output only.",
            "With --update an object is fetched only if there is no file, if their lengths differ, or if it was stored \
             in the second in which the file last changed, or later. That is the file's change time (ctime), which \
             shows when it was fetched: its modification time is set to the one that put stored. So a file that was \
             written here later stays. Of client-side objects a listing shows only the ciphertext's length, which \
             in the format esdk tells the file's length to within a few KiB. A key that ends in .instruction and has no \
             file here is asked about in each run, because a listing does not tell the envelope of another object from a \
             file of your own. For all others that stay there is no request.",
            "With --delete the files in the directory that the prefix no longer has are deleted, after everything \
             else went well. Their number is checked (--max-delete) and asked about before anything is fetched. \
             Links, what they lead to, and directories stay.",
            "Several objects go into one directory: the last argument, if it is no address, or else the current \
             directory. An address whose key has a * is a pattern, to be written in quotes, in which ? and [ have their \
             meaning too: the objects under its beginning are listed, and those whose whole keys match are fetched, \
             each to its name below the last / before the first of these characters. * matches / too. If nothing \
             matches, the exit status is 3. If two objects have the same name, nothing is fetched.",
            "S3 itself decrypts the objects of its own modes; those in sse-c need --sse-c-key. Client-side objects \
             need --key, --private-key, --passphrase or --kms-key. Each of these may be repeated: an object is \
             opened with the key that it names, or else with the first that fits. An object that needs none of the \
             keys given is refused, because a key says that it should be encrypted.",
            "To standard output (-) goes only what is verified. The format esdk is verified piece by piece, and a \
             signature, which other programs can add, before the last of them; in the format s3ec the tag is at the \
             end of the object, so the plaintext is held in memory, and a large object is read twice. --unverified \
             does not wait. If standard output is a terminal, the object must begin as text: UTF-8 without control \
             characters. Otherwise nothing is written and the exit status is 2, unless --force is given.",
            "The checksum that S3 keeps is compared with what arrives. Where that is not possible, the outcome says \
             why.",
            "A download of more than one part to a file that the network, a signal or a crash cuts off goes on with the \
             same command, as long as the object is the same: what is on disk is compared with the checksums that were \
             recorded, and the rest is fetched. Two things that other programs write start anew: a message of esdk without \
             frames, of which nothing is written before its end, and an s3ec-v1 object whose data key is padded by RSA \
             PKCS #1 v1.5, where going on would show whether the key fits. --no-resume starts anew.",
        ],
        files: &[
            (
                "$XDG_STATE_HOME/s3seal/get-*.json",
                "Records of downloads under way, as those of put. They hold checksums of what is written, but no keys.",
            ),
            (
                ".NAME.s3seal-*",
                "The temporary file next to the target, readable by its owner only. After a download that was cut off it \
                 stays, and the same command goes on with it. After SIGKILL or a crash that of a small object stays, too, \
                 without a record: no run goes on with it or removes it, and put --recursive and get --delete skip it.",
            ),
        ],
    },
    VerbPage {
        verb: "inspect",
        description: &[
            "Shows how objects are encrypted, and changes nothing. Of one object it shows the mode and the key, the \
             client-side format and who can open it, sizes, checksum, storage class, lock, version, and how the \
             connection to the server was protected. Of a bucket it shows the settings first. Of many objects it \
             shows a row each, and then a summary by mode and key; --summary leaves out the rows and the settings.",
            "Results are for people unless another format is asked for: a table (a page for one object), on a terminal \
             and to a pipe or file alike. Long key names are shortened in its rows. --json and --format write for \
             programs. -q prints only errors, so the exit status is the answer; with --format json, ndjson or csv it \
             still writes the results.",
            "The server-side mode is what S3 says. A client-side format is found in the object's metadata, which \
             anybody who can write the object can write: it is a claim. With --key, --private-key or --passphrase \
             inspect tries to open the envelope, and says whether the key fits.",
            "--read-data is the test of a restore: all of the data is fetched, decrypted with the keys given and \
             verified as get does it, and nothing is written. Each object shows what verified it: the tags of \
             client-side encryption (tag), the checksum that S3 keeps, or nothing. Of one object a failure has its own \
             exit status, such as 5 for a wrong key or 6 for data that was changed; of many, each that failed is \
             named, and the exit status is 9. An object that is named must need one of the keys given; among many, \
             some may be in other modes. --sample 5% inspects and reads one object of each 20 in the order of \
             the listing, chosen at random, and at least one under each place. Another run reads others, and the \
             summary says how many of how many were read.",
            "--manifest compares the objects under one prefix or bucket with the manifest that put --manifest wrote: \
             which are missing, changed or extra. Size and ETag are in the listing, which decides alone where they are \
             the same. Where only the ETag differs, as after a copy or a rotation, the checksum that S3 keeps is asked for; \
             it is of the stored bytes, so that what was encrypted anew has changed. Of what an update of put left as it was \
             the manifest has no checksum, so that another ETag means changed. A CRC shows damage, not forgery \
             (s3seal-recipes(7)). The summary says how many were \
             compared by which. If anything differs the exit status is 8, and if something could not be compared, 9. \
             Names are compared below the prefix, so that a copy elsewhere can be compared, too. A manifest \
             that is encrypted needs its key.",
            "--expect names what objects should be; anything else is listed, and the exit status is 8. Without it, \
             what rules demand is expected of the objects that they are for (s3seal-config(7)). What this \
             user is not allowed to see is shown as such, and is no failure. --inventory reads a report of S3 \
             Inventory instead of asking for each object.",
        ],
        files: &[],
    },
    VerbPage {
        verb: "rotate",
        description: &[
            "Changes the encryption of stored objects, or only their key. --encrypt and the flags of a key name \
             the new encryption, and the flags that begin with --from- name the keys that open them now. \
             --dry-run prints the strategy for each object and what it takes; nothing is changed. Otherwise s3seal \
             says what it is about to change to what, and asks at the terminal, unless --yes is given. Only y or yes \
             and Enter go on; what was typed before the question is discarded.",
            "An object can be opened with the old key or the new one at every moment. Each write is bound to the \
             object that was seen: if somebody else changes it meanwhile, their object stays. Metadata, tags, ACL, \
             storage class, checksum algorithm and lock are carried over. What cannot be carried over is named and \
             the object is left as it is, unless --accept-loss allows it. So is an object in a bucket with Object Lock \
             whose lock may not be read (exit status 4): S3 does not show that there is one. After the write s3seal reads what is \
             stored and compares it; --verify reads all of it, also of an object that was already done, unless the journal says that it \
             was read. For one that was already under a public key that takes its private key (--from-private-key).",
            "A client-side object gets the encryption context of --context, in which everyone who reads the object can read \
             each pair. That holds also for a pair that its writer required and did not store, which the message format of the \
             AWS Encryption SDK allows: s3seal reads such objects (--from-context), and does not write them.",
            "A rotation of many objects keeps a journal. It can be stopped at any time, and the same command goes \
             on: what is done is skipped, and what a crash left half-done is cleaned up. An object that fails is \
             named, the others go on, and the exit status is 9.",
            "--batch creates a job of S3 Batch Operations that does it instead, and prints the job's id.",
        ],
        files: &[(
            "$XDG_STATE_HOME/s3seal/rotate-*.ndjson",
            "Journals of rotations of many objects, readable by their owner only; ~/.local/state/s3seal/ if \
             XDG_STATE_HOME is not set. A journal names objects and envelopes, but no keys. It is removed when its \
             rotation is complete, unless that has a --context; --journal names another file, which stays.",
        )],
    },
    VerbPage {
        verb: "keygen",
        description: &[
            "Writes a new random 256-bit key to a file that only its owner can read (mode 0600). A file that exists \
             is never replaced. The outcome shows the fingerprint by which s3seal names the key, and the MD5 by \
             which S3 names it in sse-c.",
            "--show makes no key: it prints the same of a key that is there, of an RSA key in PEM (either half) the \
             fingerprint that is recorded with the objects encrypted to it. So you find the file that opens an object: \
             inspect, the outcomes of put, get and rotate, --json and the errors about keys name the key by this \
             fingerprint, and inspect can expect it of objects in sse-c.",
            "Keep a copy in a safe place: nobody can read what was encrypted with a key that is lost.",
        ],
        files: &[],
    },
    VerbPage {
        verb: "doctor",
        description: &[
            "Looks whether a verb will work at a bucket or prefix, in seconds and before hours of transfer. Each thing \
             that it looks at has a line: as it should be, worth a look (!), or in the way; with what was seen, and below \
             it the command, the policy statement or the advice that mends it. What a server does not answer, or what \
             only trying would show, is marked with ! and never as it should be. In a locale without UTF-8 the signs are \
             ok, ! and x.",
            "--for names the verb (put, unless another is given), and --encrypt and the flags of a key how objects are to \
             be encrypted, as in s3seal-put(1); without them the rule for the place counts, or else the bucket's default \
             encryption. Permissions show in the answers to questions that change nothing, about an object that does not \
             exist or an upload that nobody has begun. Nothing is written. AWS STS is asked \
             who the credentials stand for: of AWS, or at an address that is set for it or for all services.",
            "KMS keys: whether they are there and enabled, in which region and account, and by dry runs, which KMS answers \
             without doing anything, what they allow. Keys of this machine: whether they can be read, their kind, \
             fingerprint, mode and owner, and whether they open the newest object that needs one: of the first thousand \
             that are listed, the ten newest are looked at, from their heads and envelopes alone. No key leaves the machine: \
             one of SSE-C is tried only with --write-test, on an object of which S3 says that it needs one. For get \
             and inspect, --private-key takes the place of --public-key. The keys that objects have before a rotation are \
             those of --from-key and the like, as in s3seal-rotate(1). Of a passphrase, whether there is memory \
             for it.",
            "--write-test also stores a scratch object of a few bytes in the mode asked, as s3seal-put(1) does it, reads \
             it, compares what is stored with what was sent, and deletes it. The rules for the place hold for it, and an \
             SSE-C key goes to S3 with it. A client-side one is also decrypted with the keys given, if they can: for a \
             public key that takes --for get and --private-key. Where each new object is locked, nothing is stored.",
            "If nothing is in the way, the exit status is 0, whatever is marked with !. Otherwise it is the one of the \
             worst finding: 6 before 7, 3, 4, 5 and 8.",
            "--policy checks nothing: it prints the least IAM policy with which a verb works at this place and in this \
             mode, as aws iam put-user-policy and put-role-policy take it, and needs neither network nor credentials. \
             --with adds what some objects or flags need beyond that: each case that is not covered is named on standard \
             error. For rotate, --from and --from-kms-key say what the objects have. An access point \
             is named by its ARN. --key-policy-for prints, in place of it, \
             the policy of the KMS key for a user or a role, as aws kms put-key-policy takes it. s3seal-iam(7) explains the \
             policies.",
        ],
        files: &[],
    },
    VerbPage {
        verb: "cleanup",
        description: &[
            "Lists what runs that broke off have left, asks, and removes it: multipart uploads that nobody completed or \
             aborted, of s3seal and of any other program; instruction files whose object does not exist; the small \
             scratch objects on which rotate and doctor try what a server can do; and, of this machine, the journals of \
             rotations at this server that are not at work and changed nothing outside the address, and the records of \
             puts and gets there that are not at work, with the temporary files of the gets. Of an upload it says who began \
             it and when, and what its parts take. The address is a bucket, a prefix that ends in /, or one object.",
            "What is younger than --older-than stays, by the clock of the server: it may belong to a run that is at \
             work, here or elsewhere. So does, however old it is, an upload of a put or a rotation that this user has at \
             work on this machine, also if that goes on with it only while s3seal asks; a rotation whose journal was \
             named is not known. Files of this machine are as old as its own clock says: a put or a get that would have gone on with a \
             record that is removed starts anew. A journal stays where it may be the only copy of an envelope, or knows of an instruction file that \
             only its rotation may remove: the same rotate command goes on from it. --verbose names what stays.",
            "Each removal is for what was listed: an object only if it still has its ETag, an instruction file only if \
             its object is still missing. In a bucket with versions an instruction file is hidden by a delete marker, \
             which frees nothing, and a scratch object is removed for good. An instruction file without its object \
             may have been left by somebody who renamed the object and forgot it: without it that object cannot be \
             read. Read the list.",
            "--dry-run only lists. At a terminal s3seal asks, unless --yes is given; only y or yes and Enter go on. If \
             something could not be removed, the exit status is 9; if there is nothing to remove, it is 0. The summary \
             says how many bytes were freed.",
        ],
        files: &[
            (
                "$XDG_STATE_HOME/s3seal/rotate-*.ndjson",
                "Journals of rotations, see s3seal-rotate(1); ~/.local/state/s3seal/ if XDG_STATE_HOME is not set.",
            ),
            (
                "$XDG_STATE_HOME/s3seal/put-*.json, get-*.json",
                "Records of transfers, see s3seal-put(1) and s3seal-get(1).",
            ),
        ],
    },
];
