#!/bin/sh
# More lines of the Web API description: recordings, captures by Call-ID, calls under way, reports, shares.
#
#   curl_more.sh URL USER PASSWORD CDR_ID CALL_ID CALL_REF SENSOR FOLDER
#
# CDR_ID has audio and CALL_ID is its Call-ID; CALL_REF is a call under way on SENSOR. Replies as in curl.sh.
set -eu
url=$1 user=$2 password=$3 id=$4 call=$5 ref=$6 sensor=$7 out=$8
api="$url/php/api.php"
login="\"user\": \"$user\", \"password\": \"$password\""

ask() {
    name=$1
    shift
    curl -sS --max-time 30 -o "$out/$name" -w '%{http_code}' "$@" >"$out/$name.status"
}
# post NAME TASK PARAMS: echo '{…}' | php php/api.php is that JSON by POST
post() {
    echo "{\"task\": \"$2\", $login, \"params\": $3}" |
        ask "$1" -H 'Content-Type: application/json' --data-binary @- "$api"
}
# get NAME TASK PARAMS: the same by GET, as the examples write it
get() {
    ask "$1" -g -G --data-urlencode "task=$2" --data-urlencode "user=$user" --data-urlencode "password=$password" \
        --data-urlencode "params=$3" "$api"
}

# getVoiceRecording
post recording_post getVoiceRecording "{\"cdrId\": \"$id\"}"
get recording_get getVoiceRecording "{\"cdrId\":$id}"
get recording_after_connect getVoiceRecording "{\"cdrId\":$id,\"saveaudio_afterconnect\":\"yes\"}"
post recording_call_id_post getVoiceRecording "{\"callId\": \"$call\"}"
get recording_call_id_get getVoiceRecording "{\"callId\":\"$call\"}"
get recording_interval getVoiceRecording "{\"callId\":\"$call\",\"cidInterval\":10}"
post recording_zip getVoiceRecording "{\"cdrId\": \"$id\", \"zip\": true}"
post recording_nothing getVoiceRecording "{}"

# getPCAP
get pcap getPCAP "{\"callId\":\"$call\"}"
get pcap_interval getPCAP "{\"callId\":\"$call\",\"cidInterval\":60}"
get pcap_merge getPCAP "{\"callId\":\"$call\",\"cidInterval\":60,\"cidMerge\":true}"
get pcap_zip getPCAP "{\"callId\":\"$call\",\"cidInterval\":60,\"cidMerge\":true,\"zip\":true}"

# listActiveCalls, handleActiveCall
post active_post listActiveCalls "{\"sensorId\": \"$sensor\"}"
get active_get listActiveCalls "{\"sensorId\":\"$sensor\"}"
post pause_post handleActiveCall "{\"sensorId\": \"$sensor\",\"command\":\"pausecall\",\"callRef\":\"$ref\"}"
get unpause_get handleActiveCall "{\"sensorId\":\"$sensor\",\"command\":\"unpausecall\",\"callRef\":\"$ref\"}"

# reportSummary
report='{"report_name": "test summary", "datetime_from": "2026-11-20", "datetime_to": "2026-11-25", "json": true}'
post report_post reportSummary "$report"
get report_get reportSummary "$report"

# getShareURL: with RTP, only SIP, SIP history
get share_rtp_interval getShareURL "{\"callId\":\"$call\",\"cidInterval\":60,\"rtp\":true}"
get share_rtp getShareURL "{\"callId\":\"$call\",\"rtp\":true}"
get share_sip getShareURL "{\"callId\":\"$call\"}"
get share_history getShareURL "{\"callId\":\"$call\",\"cidInterval\":60, \"sip_history\": true}"

# Sharing by the GUI's own call, with a session
sid=$(curl -sS -X POST "$url/php/model/sql.php?module=bypass_login&user=$user&pass=$password" |
    sed -n 's/.*"SID":"\([^"]*\)".*/\1/p')
for kind in self_protected_link self_login_link share_link; do
    ask "$kind" -X POST --cookie "PHPSESSID=$sid" -d task=shareCdr --data-urlencode \
        "params={\"type\":\"share_cdr_show\",\"type2\":null,\"subType\":\"$kind\",\"id\":[$id],\"emailFields\":null}" \
        "$url/php/model/utilities.php"
done
