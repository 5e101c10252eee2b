#!/bin/sh
# How scripts ask beside the lines of the Web API description (tests/data/vendor_lines.csv): other ways of sending the
# same calls, wrong passwords, no session.
#
#   curl.sh URL USER PASSWORD CDR_ID FOLDER
#
# Every reply is written to FOLDER/NAME, its status to FOLDER/NAME.status. Exit code 0: every request was answered.
set -eu
url=$1 user=$2 password=$3 id=$4 out=$5
api="$url/php/api.php"

# ask NAME CURL-ARGUMENTS…
ask() {
    name=$1
    shift
    curl -sS --max-time 30 -o "$out/$name" -w '%{http_code}' "$@" >"$out/$name.status"
}

# GUI_automate_login: the session id goes into the cookie that the answer names.
ask bypass_login -X POST "$url/php/model/sql.php?module=bypass_login&user=$user&pass=$password"
ask bypass_login_get "$url/php/model/sql.php?module=bypass_login&user=$user&pass=$password"
ask bypass_login_form --data-urlencode "module=bypass_login" --data-urlencode "user=$user" \
    --data-urlencode "pass=$password" "$url/php/model/sql.php"
ask bypass_login_multipart -F module=bypass_login -F "user=$user" -F "pass=$password" "$url/php/model/sql.php"
ask bypass_login_empty_json -X POST -H 'Content-Type: application/json' -d '{}' \
    "$url/php/model/sql.php?module=bypass_login&user=$user&pass=$password"
ask bypass_login_wrong -X POST "$url/php/model/sql.php?module=bypass_login&user=$user&pass=wrong-$password"
sid=$(sed -n 's/.*"SID":"\([^"]*\)".*/\1/p' "$out/bypass_login")
cookie_name=$(sed -n 's/.*"cookie_name":"\([^"]*\)".*/\1/p' "$out/bypass_login")
cookie="$cookie_name=$sid"

# CDR HTTP API
days='fdatefrom=2026-11-20T00:00:00&fdateto=2026-11-25T00:00:00'
ask listing_form -X POST -k --cookie "$cookie" -d "task=LISTING&module=CDR&$days" \
    --data-urlencode 'sort=[{"property":"calldate2","direction":"DESC"}]' -d 'page=1&start=0&limit=30' \
    "$url/php/model/sql.php"
ask listing_cookie_with_path -X POST -H "Cookie: $cookie; path=/" \
    "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"
ask suppress_results -X POST -k --cookie "$cookie" \
    "$url/php/model/sql.php?task=LISTING&module=CDR&$days&suppress_results=1"
ask listing_without_session -X POST -k "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"

# A capture
ask pcap_post --cookie "$cookie" -d "id=$id" "$url/php/pcap.php"
ask pcap_disable_rtp --cookie "$cookie" "$url/php/pcap.php?id=$id&disable_rtp=1"

# HTTP API 2, getVoipCalls: with the signs of JSON as they are in the address, and as a form
one='{"startTime": "2026-11-20", "endTime": "2026-11-25", "caller": "1001", "customHeaders": "X-Tenant"}'
ask voip_calls_raw_get -g "$api?task=getVoipCalls&user=$user&password=$password&params={\"startTime\":\"2026-11-20\",\"endTime\":\"2026-11-25\",\"caller\":\"1001\",\"customHeaders\":\"X-Tenant\"}"
ask voip_calls_form -d task=getVoipCalls --data-urlencode "user=$user" --data-urlencode "password=$password" \
    --data-urlencode "params=$one" "$api"
ask voip_calls_wrong -d task=getVoipCalls --data-urlencode "user=$user" --data-urlencode "password=x$password" \
    --data-urlencode "params=$one" "$api"
ask voip_calls_no_user -d task=getVoipCalls --data-urlencode "params=$one" "$api"

ask license_without_session "$url/php/apilicensecheck.php?task=licenseCheck"

# logout: the session is over
ask logout -X POST --cookie "$cookie" "$url/php/model/sql.php?module=logout"
ask listing_after_logout -X POST --cookie "$cookie" \
    "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"
