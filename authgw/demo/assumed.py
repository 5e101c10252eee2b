"""What the look-alike assumes, where the Web API description and what is known of its clients are silent.

Lists of calls
- Type 0 of a pair of parameters with only the second given looks for that one on its own side; absent is 0.
- fbye: interrupted is a call without a BYE. ftrunk: no call goes over a trunk, so true finds nothing.
- fcodec: the codec of either stream or of the call. Thresholds of duration and PDD are exclusive, times inclusive.
- RTP thresholds (frtcp_*, f_d*, floss*) hold where either side has the value or more, MOS (fmos*) the value or less;
  units are those of the product's columns. What is unknown meets none.
- Special orderings come before sort, several in the order of their description: most loss, longest delay and worst MOS
  first.
- TOTAL answers success and total; a list's error is a text.
- getVoipCalls: an array's lists follow each other, LIKE for caller and called as in LISTING, headers compared without
  letter case and returned under the names they were asked by; simpleOutput leaves cdrId and callId.
- listCdrIds: simple output leaves cdrId; an empty list is [].

One call's history, captures and audio
- pcap2text: what is hidden is not numbered, and time runs from the first message shown.
- The errors of missing captures and audio are texts.
- A selector that fits several calls means the earliest. A custom header is looked for from `calldate` to the end of
  that day, by its own name or that of its column in cdr_next.
- Other legs are calls of the same Call-ID that began within cidInterval seconds. Their captures are merged by time,
  with or without cidMerge; in a zip each stands on its own, under cidMerge merged there too.
- Several recordings come zipped. Several elements of params give one answer with all their files.
- saveaudio_afterconnect cuts `duration - connect_duration` seconds off; ogg is FLAC in Ogg.

Sharing
- getShareURL and shareCdr answer {"success":true,"url":"…"}, one link for all calls. Links of this GUI are
  cdr.php?share=TOKEN on the host that was asked, captures and audio the same with &pcap=ID or &audio=ID.
- getShareURL without an interval shares every call of the Call-ID. A link without RTP has captures without RTP and no
  audio; one with sip_history has neither, and shareCdr knows that field too. share_link names the vendor's server,
  where nothing is sent.
- utilities.php: checkSession answers {"success":true}, getUserCanAudit that and "can_audit":0, saveAudit that alone.

Active calls
- Every connected call of the records runs for ever, with the times of its record. `recordingpaused` is 0 or 1.
- A call without a sensor number has null there and is handled without sensorId. Success is {"success":true}.

Aggregates
- CDR_stats takes LISTING's filter, a date bound too, and answers as the vendor's example. group_by is a column of
  LISTING, absent lastSIPresponse, whose columns are replaced by another group's own; id is the group's value. cnt_ok
  counts responses 2xx, cnt_err the rest; asr and acd go by connected calls.
- reportSummary knows two reports, "test summary" over all calls and "acme summary" over those of acme.example, each by
  response; with json an object whose results are the rows of CDR_stats, else a page. A date alone ends with its day.

Deleting
- delete_cdr answers {"success":true}; unknown ids are passed over. cdr deletes rows, files captures, audio and the SIP
  history, both all of it. `filter` holds LISTING's parameters, a date bound too. The records on disk stay.

Other sections
- Messages and registrations have the columns of their tables without vlan and reversed text, and sensorname; of
  LISTING's parameters they know the time's bounds (none is needed), fsensor_id, pages, sort and suppress_results.
- register lists the registrations of register_state that hold. Sections without records are empty lists.

The rest
- The GUI's pages hold no data and open without a session; the licence is always fine.
"""
