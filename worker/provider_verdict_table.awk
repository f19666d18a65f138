# Makes provider_verdict's table: awk -f this error-codes.tsv error-rules.tsv > provider_verdict_table.inc
# A row is {code, class, scope, retry_after, ambiguous, is_prefix, remedy}. Any fault in the data fails the build.
BEGIN { FS = "\t" }

function fail(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
    failed = 1
    exit 1
}

FNR == 1 { file++ }
{ sub(/\r$/, "") }
/^#/ || /^$/ { next }

file == 1 {
    if (NF != 4) fail("expected code, level, action, meaning")
    if ($3 !~ /^(RETRY|THROTTLE|REJECT_NUMBER|REJECT_CONTENT|REJECT_QUOTA|CONFIG|BUG)$/)
        fail("unknown action " $3)
    doubt = index($4, "[ambiguous") > 0
    if ($1 in class) {
        if (class[$1] != $3 || ambiguous[$1] != doubt) fail($1 " means two things")
        next
    }
    order[++n] = $1
    class[$1] = $3
    ambiguous[$1] = doubt
    next
}

{
    if (NF != 4 && NF != 5) fail("expected code, class, scope, seconds, remedy")
    prefix = sub(/\*$/, "", $1)
    if (prefix) {
        order[++n] = $1
        class[$1] = $2
        is_prefix[$1] = 1
    } else if (!($1 in class)) {
        fail($1 " is not in error-codes.tsv")
    }
    if ($2 != "-") class[$1] = $2
    if ($3 == "scene") scope[$1] = "SCENE"
    else if ($3 != "-" && $3 != "account") fail("unknown scope " $3)
    if ($4 != "-") seconds[$1] = $4
    if (NF == 5) {
        if (class[$1] != "CONFIG" || $5 ~ /["\\]/) fail("no CONFIG fault, or not plain text")
        remedy[$1] = "\"" $5 "\""
    }
}

END {
    if (failed) exit 1
    for (i = 1; i <= n; i++) {
        c = order[i]
        printf "{\"%s\", VERDICT_%s, SCOPE_%s, %d, %s, %s, %s},\n", c, class[c], \
            (c in scope) ? scope[c] : "ACCOUNT", seconds[c], ambiguous[c] ? "true" : "false", \
            (c in is_prefix) ? "true" : "false", (c in remedy) ? remedy[c] : "NULL"
    }
}
