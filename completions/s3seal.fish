# Completions of s3seal for fish: the program itself says what may stand at the cursor.

function __s3seal_complete
    # fish shows a completion no more of the line than what stands before the cursor.
    command s3seal complete fish (commandline -pc | string collect) '' </dev/null 2>/dev/null | string match --invert --regex '^(files|none)$'
end

# A file that only the shell can name, such as $HOME/file.
function __s3seal_has_variable
    string match --quiet -- '*$*' (commandline -ct); and not string match --quiet -- '*s3://*' (commandline -ct)
end

complete --command s3seal --no-files --keep-order --arguments '(__s3seal_complete)'
complete --command s3seal --condition __s3seal_has_variable --force-files
