# shellcheck shell=bash
# Completions of s3seal for bash: the program itself says what may stand at the cursor.

_s3seal() {
    local answer line files=
    COMPREPLY=()
    answer=$(command s3seal complete bash "${COMP_LINE:0:COMP_POINT}" "${COMP_LINE:COMP_POINT}" \
        "$COMP_WORDBREAKS" "$COMP_TYPE" </dev/null 2>/dev/null) || return 0
    while IFS= read -r line; do
        if [[ -z $files ]]; then
            files=$line
        else
            COMPREPLY+=("$line")
        fi
    done <<<"$answer"
    if ((${#COMPREPLY[@]} == 0)); then
        # A file that only the shell can name, such as $HOME/file. Bash 3 has no compopt.
        [[ $files != files ]] || compopt -o default 2>/dev/null
    elif ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

complete -F _s3seal s3seal
