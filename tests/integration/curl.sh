#!/bin/sh
# The lines of the Web API description, as a script would use them, against the gateway.
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
ask listing -X POST -k --cookie "$cookie" "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"
ask listing_form -X POST -k --cookie "$cookie" -d "task=LISTING&module=CDR&$days" \
    --data-urlencode 'sort=[{"property":"calldate2","direction":"DESC"}]' -d 'page=1&start=0&limit=30' \
    "$url/php/model/sql.php"
ask listing_cookie_with_path -X POST -H "Cookie: $cookie; path=/" \
    "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"
ask suppress_results -X POST -k --cookie "$cookie" \
    "$url/php/model/sql.php?task=LISTING&module=CDR&$days&suppress_results=1"
ask listing_without_session -X POST -k "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"

# get PCAP file
ask pcap --cookie "$cookie" "$url/php/pcap.php?id=$id"
ask pcap_post --cookie "$cookie" -d "id=$id" "$url/php/pcap.php"
ask pcap_disable_rtp --cookie "$cookie" "$url/php/pcap.php?id=$id&disable_rtp=1"

# HTTP API 2, getVoipCalls: the JSON of the examples by POST, then by GET
one='{"startTime": "2026-11-20", "endTime": "2026-11-25", "caller": "1001", "customHeaders": "X-Tenant"}'
two='[{"startTime": "2026-11-20", "endTime": "2026-11-25", "caller": "1001"},
      {"startTime": "2026-11-20", "endTime": "2026-11-25", "caller": "1002", "customHeaders": "X-Tenant"}]'
login="\"user\": \"$user\", \"password\": \"$password\""
echo "{\"task\": \"getVoipCalls\", $login, \"params\": $one}" |
    ask voip_calls_post -H 'Content-Type: application/json' --data-binary @- "$api"
echo "{\"task\": \"getVoipCalls\", $login, \"params\": $two}" |
    ask voip_calls_post_array -H 'Content-Type: application/json' --data-binary @- "$api"
ask voip_calls_get -G --data-urlencode task=getVoipCalls --data-urlencode "user=$user" \
    --data-urlencode "password=$password" --data-urlencode "params=$one" "$api"
ask voip_calls_get_array -G --data-urlencode task=getVoipCalls --data-urlencode "user=$user" \
    --data-urlencode "password=$password" --data-urlencode "params=$two" "$api"
ask voip_calls_raw_get -g "$api?task=getVoipCalls&user=$user&password=$password&params={\"startTime\":\"2026-11-20\",\"endTime\":\"2026-11-25\",\"caller\":\"1001\",\"customHeaders\":\"X-Tenant\"}"
ask voip_calls_form -d task=getVoipCalls --data-urlencode "user=$user" --data-urlencode "password=$password" \
    --data-urlencode "params=$one" "$api"
ask voip_calls_wrong -d task=getVoipCalls --data-urlencode "user=$user" --data-urlencode "password=x$password" \
    --data-urlencode "params=$one" "$api"
ask voip_calls_no_user -d task=getVoipCalls --data-urlencode "params=$one" "$api"

# listCdrIds
echo "{\"task\": \"listCdrIds\", $login, \"params\": {\"offset\":\"$id\",\"size\":\"5\"}}" |
    ask cdr_ids_post -H 'Content-Type: application/json' --data-binary @- "$api"
ask cdr_ids_get -G --data-urlencode task=listCdrIds --data-urlencode "user=$user" \
    --data-urlencode "password=$password" --data-urlencode "params={\"offset\":\"$id\",\"size\":\"5\"}" "$api"

# SIP history
history="$url/php/pcap2text.php?id=$id&dns_lookup=0&ip_not_allowed=10.1.1.1,10.2.2.0/24"
ask brief_data -X POST -k --cookie "$cookie" "$history&action=brief_data"
ask brief -X POST -k --cookie "$cookie" "$history&action=brief"
ask get_msc -X POST -k --cookie "$cookie" "$history&action=getMSC"

# Check license
ask license_check --cookie "$cookie" "$url/php/apilicensecheck.php?task=licenseCheck"
ask license_limit --cookie "$cookie" "$url/php/apilicensecheck.php?task=licenseCallsLimitCheck"
ask license_without_session "$url/php/apilicensecheck.php?task=licenseCheck"

# logout: the session is over
ask logout -X POST --cookie "$cookie" "$url/php/model/sql.php?module=logout"
ask listing_after_logout -X POST --cookie "$cookie" \
    "$url/php/model/sql.php?task=LISTING&module=CDR&$days&fcaller=1001"
