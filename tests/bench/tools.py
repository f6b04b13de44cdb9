"""The tools and the commands by which each does a job.

Why: a comparison is fair only if one can read what each tool was asked to do.
Every command is what its users would type, with the tool's own defaults for
parts and parallelism. Not here: installing (install.py), the jobs (jobs.py).

In a command, $FILE is the file to send, $DEST the file to write, $OBJECT is
BUCKET/KEY, $SMALL a folder of small files, $KEYS the folder of keys.
"""

import os

# tool: {job: command}. A tool that cannot do a job has no entry for it.
COMMANDS = {
    "s3seal": {
        "put/none": "$S3SEAL put -q $FILE s3://$OBJECT",
        "get/none": "$S3SEAL get -q s3://$OBJECT $DEST",
        "put/sse-kms": "$S3SEAL put -q -e sse-kms --kms-key alias/bench $FILE s3://$OBJECT",
        "get/sse-kms": "$S3SEAL get -q s3://$OBJECT $DEST",
        "put/sse-c": "$S3SEAL put -q --sse-c-key $KEYS/aes $FILE s3://$OBJECT",
        "get/sse-c": "$S3SEAL get -q --sse-c-key $KEYS/aes s3://$OBJECT $DEST",
        "put/client": "$S3SEAL put -q -e client --format s3ec --key $KEYS/aes $FILE s3://$OBJECT",
        "get/client": "$S3SEAL get -q --key $KEYS/aes s3://$OBJECT $DEST",
        "put/stdin": "$S3SEAL put -q - s3://$OBJECT < $FILE",
        "get/stdout": "$S3SEAL get -q s3://$OBJECT - > /dev/null",
        "put/many": "$S3SEAL put -q -r $SMALL s3://$OBJECT/",
        "put/unchanged": "$S3SEAL put -q -r --update $SMALL s3://$OBJECT/",
        "get/many": "$S3SEAL get -q -r s3://$OBJECT/ $DEST.d",
        "get/one-byte": "$S3SEAL get -q s3://$OBJECT $DEST",
    },
    "s3seal esdk": {
        "put/client": "$S3SEAL put -q -e client --format esdk --key $KEYS/aes $FILE s3://$OBJECT",
        "get/client": "$S3SEAL get -q --key $KEYS/aes s3://$OBJECT $DEST",
        "put/client-stdin": "$S3SEAL put -q -e client --key $KEYS/aes - s3://$OBJECT < $FILE",
        "get/client-stdout": "$S3SEAL get -q --key $KEYS/aes s3://$OBJECT - > /dev/null",
    },
    # What a loop costs: a start for each file. Users would name the folder instead.
    "s3seal in a loop": {
        "put/many": 'for f in $SMALL/*; do $S3SEAL put -q "$f" s3://$OBJECT/"${f##*/}" || exit; done',
        "get/many": 'for f in $SMALL/*; do $S3SEAL get -q s3://$OBJECT/"${f##*/}" $DEST || exit; done',
    },
    "s5cmd in a loop": {
        "put/many": 'for f in $SMALL/*; do $S5CMD --log error cp "$f" s3://$OBJECT/"${f##*/}" || exit; done',
        "get/many": 'for f in $SMALL/*; do $S5CMD --log error cp s3://$OBJECT/"${f##*/}" $DEST || exit; done',
    },
    "sdk loop": {
        "put/none": "$SDK_LOOP put ${OBJECT%%/*} ${OBJECT#*/} $FILE",
        "get/none": "$SDK_LOOP get ${OBJECT%%/*} ${OBJECT#*/} $DEST",
        "get/one-byte": "$SDK_LOOP get ${OBJECT%%/*} ${OBJECT#*/} $DEST",
    },
    "s5cmd": {
        "put/none": "$S5CMD --log error cp $FILE s3://$OBJECT",
        "get/none": "$S5CMD --log error cp s3://$OBJECT $DEST",
        "put/sse-kms": "$S5CMD --log error cp --sse aws:kms --sse-kms-key-id alias/bench $FILE s3://$OBJECT",
        "get/sse-kms": "$S5CMD --log error cp s3://$OBJECT $DEST",
        "put/stdin": "$S5CMD --log error pipe s3://$OBJECT < $FILE",
        "get/stdout": "$S5CMD --log error cat s3://$OBJECT > /dev/null",
        "put/many": "$S5CMD --log error cp $SMALL/ s3://$OBJECT/",
        "put/unchanged": "$S5CMD --log error sync $SMALL/ s3://$OBJECT/",
        "get/many": "$S5CMD --log error cp 's3://'$OBJECT'/*' $DEST.d/",
        "get/one-byte": "$S5CMD --log error cp s3://$OBJECT $DEST",
    },
    "rclone": {
        "put/none": "$RCLONE copyto $FILE :s3:$OBJECT",
        "get/none": "$RCLONE copyto :s3:$OBJECT $DEST",
        "put/sse-kms": "$RCLONE copyto --s3-sse-kms-key-id alias/bench $FILE :s3:$OBJECT",
        "get/sse-kms": "$RCLONE copyto :s3:$OBJECT $DEST",
        "put/sse-c": "RCLONE_S3_SERVER_SIDE_ENCRYPTION= $RCLONE copyto $RCLONE_SSE_C $FILE :s3:$OBJECT",
        "get/sse-c": "RCLONE_S3_SERVER_SIDE_ENCRYPTION= $RCLONE copyto $RCLONE_SSE_C :s3:$OBJECT $DEST",
        "put/stdin": "$RCLONE rcat :s3:$OBJECT < $FILE",
        "get/stdout": "$RCLONE cat :s3:$OBJECT > /dev/null",
        "put/many": "$RCLONE copy $SMALL :s3:$OBJECT",
        "put/unchanged": "RCLONE_IGNORE_TIMES=false $RCLONE copy $SMALL :s3:$OBJECT",
        "get/many": "$RCLONE copy :s3:$OBJECT $DEST.d",
        "get/one-byte": "$RCLONE copyto :s3:$OBJECT $DEST",
    },
    "rclone crypt": {
        "put/client": "$RCLONE copyto $FILE bench:$OBJECT",
        "get/client": "$RCLONE copyto bench:$OBJECT $DEST",
        "put/client-stdin": "$RCLONE rcat bench:$OBJECT < $FILE",
        "get/client-stdout": "$RCLONE cat bench:$OBJECT > /dev/null",
    },
    "aws cli": {
        "put/none": "$AWS s3 cp --only-show-errors $FILE s3://$OBJECT",
        "get/none": "$AWS s3 cp --only-show-errors s3://$OBJECT $DEST",
        "put/sse-kms": "$AWS s3 cp --only-show-errors --sse aws:kms --sse-kms-key-id alias/bench $FILE s3://$OBJECT",
        "get/sse-kms": "$AWS s3 cp --only-show-errors s3://$OBJECT $DEST",
        "put/sse-c": "$AWS s3 cp --only-show-errors --sse-c AES256 --sse-c-key fileb://$KEYS/aes $FILE s3://$OBJECT",
        "get/sse-c": "$AWS s3 cp --only-show-errors --sse-c AES256 --sse-c-key fileb://$KEYS/aes s3://$OBJECT $DEST",
        "put/stdin": "$AWS s3 cp --only-show-errors --expected-size $SIZE - s3://$OBJECT < $FILE",
        "get/stdout": "$AWS s3 cp --only-show-errors s3://$OBJECT - > /dev/null",
        "put/many": "$AWS s3 cp --only-show-errors --recursive $SMALL s3://$OBJECT",
        "put/unchanged": "$AWS s3 sync --only-show-errors $SMALL s3://$OBJECT",
        "get/many": "$AWS s3 cp --only-show-errors --recursive s3://$OBJECT $DEST.d",
        "get/one-byte": "$AWS s3 cp --only-show-errors s3://$OBJECT $DEST",
    },
    # The CRT cannot be told of SSE-KMS apart from the bucket's default, which is that.
    "AWS CRT": {
        "put/none": "$BOTO3 $BENCH/crt.py put ${OBJECT%%/*} ${OBJECT#*/} $FILE",
        "get/none": "$BOTO3 $BENCH/crt.py get ${OBJECT%%/*} ${OBJECT#*/} $DEST",
    },
    "age | aws cli": {
        "put/client": "age -R $KEYS/age.pub < $FILE"
                      " | $AWS s3 cp --only-show-errors --expected-size $SIZE - s3://$OBJECT",
        "get/client": "$AWS s3 cp --only-show-errors s3://$OBJECT - | age -d -i $KEYS/age > $DEST",
        "put/client-stdin": "age -R $KEYS/age.pub < $FILE"
                            " | $AWS s3 cp --only-show-errors --expected-size $SIZE - s3://$OBJECT",
        "get/client-stdout": "$AWS s3 cp --only-show-errors s3://$OBJECT - | age -d -i $KEYS/age > /dev/null",
    },
    "aws-encryption-cli": {
        # To a file and then up: it writes to a pipe no faster, and cannot be told the length of one.
        "put/client": "$ESDK_CLI --encrypt -S -i $FILE -o $DEST.esdk -w key=$KMS_ARN"
                      " && $AWS s3 cp --only-show-errors $DEST.esdk s3://$OBJECT",
        "get/client": "$AWS s3 cp --only-show-errors s3://$OBJECT $DEST.esdk"
                      " && $ESDK_CLI --decrypt -S -i $DEST.esdk -o $DEST -w discovery=true",
    },
    # With the frames that s3seal makes, instead of its own 4 KiB.
    "aws-encryption-cli 64 KiB": {
        "put/client": "$ESDK_CLI --encrypt -S --frame-length 65536 -i $FILE -o $DEST.esdk -w key=$KMS_ARN"
                      " && $AWS s3 cp --only-show-errors $DEST.esdk s3://$OBJECT",
        "get/client": "$AWS s3 cp --only-show-errors s3://$OBJECT $DEST.esdk"
                      " && $ESDK_CLI --decrypt -S -i $DEST.esdk -o $DEST -w discovery=true",
    },
}

# Over a wide-area link the commands are those of the machine itself; s3seal also with a fixed number of requests.
for jobs in COMMANDS.values():
    jobs.update({job.replace("/none", "/wan"): jobs[job] for job in ("put/none", "get/none") if job in jobs})
for number in (8, 16, 32, 64):
    COMMANDS["s3seal -j %d" % number] = {
        job: COMMANDS["s3seal"][job].replace("-q", "-q -j %d" % number) for job in ("put/wan", "get/wan")
    }


def environment(base, server, installed, folder, keys, size):
    """What all commands are run with: the way to the server, and the paths of the tools."""
    env = {name: base[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in base}
    env |= server | installed | {"S3SEAL_CONFIG": ""}
    ca, endpoint = server["AWS_CA_BUNDLE"], server["AWS_ENDPOINT_URL"]
    # Go programs.
    env |= {"SSL_CERT_FILE": ca, "S3_ENDPOINT_URL": endpoint}
    env |= {
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CA_CERT": ca, "RCLONE_S3_PROVIDER": "AWS", "RCLONE_S3_ENV_AUTH": "true",
        "RCLONE_S3_ENDPOINT": endpoint, "RCLONE_S3_REGION": server["AWS_REGION"], "RCLONE_S3_FORCE_PATH_STYLE": "true",
        # Each round sends the same file; rclone would find it there and be done.
        "RCLONE_S3_NO_CHECK_BUCKET": "true", "RCLONE_IGNORE_TIMES": "true",
        # The bucket does so by default; rclone must be told, or it takes the ETag for an MD5.
        "RCLONE_S3_SERVER_SIDE_ENCRYPTION": "aws:kms", "RCLONE_CONFIG_BENCH_TYPE": "crypt", "RCLONE_CONFIG_BENCH_REMOTE": ":s3:",
        "RCLONE_CONFIG_BENCH_FILENAME_ENCRYPTION": "off",
        "RCLONE_CONFIG_BENCH_DIRECTORY_NAME_ENCRYPTION": "false",
    }
    env |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    env |= {"KEYS": keys, "SIZE": str(size), "WORK": folder}
    return env
