"use strict";

const SIZE = 30;
const COLUMNS = [
  ["Time (UTC)", "calldate"], ["Caller", "caller"], ["Called", "called"], ["Sensor", "sensorname"],
  ["Duration", "_duration"], ["Response", "lastSIPresponseNum"], ["Capture and audio", null],
];
const FORM = ["fcaller", "fcallid", "fsensor_id", "fsipresponse"];
const at = (id) => document.getElementById(id);
const filter = at("filter");
const state = { start: 0, total: 0, sort: { property: "calldate", direction: "DESC" }, further: {}, turn: 0 };

// Every text of a call goes in as text, never as markup: callers choose their names themselves.
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function explain(text, reply) {
  try {
    const error = JSON.parse(text).error;
    if (error && error.type) return "You are not logged in. Open this page through the gateway and log in there.";
    if (error) return String(error);
  } catch { /* not JSON: the text itself says it */ }
  return text.trim().slice(0, 200) || `The server answered ${reply.status}.`;
}

async function ask(fields, path = "php/model/sql.php") {
  const reply = await fetch(path, {
    method: "POST", body: new URLSearchParams(fields), headers: { "X-Requested-With": "XMLHttpRequest" },
  });
  const text = await reply.text();
  // PHP may have put a warning before the JSON.
  const begin = text.indexOf('{"');
  let value = null;
  for (const part of [text, text.slice(Math.max(begin, 0))]) {
    try { value ??= JSON.parse(part); } catch { /* told below */ }
  }
  if (!reply.ok || !value || value.success === false) throw new Error(explain(text.slice(Math.max(begin, 0)), reply));
  return value;
}

function question() {
  const fields = { ...state.further };
  for (const name of FORM) {
    const value = filter.elements[name].value.trim();
    if (value) fields[name] = value;
  }
  if (fields.fcaller && !("fcallerd_type" in fields)) fields.fcallerd_type = "0";
  const { from, to } = filter.elements;
  if (from.value) fields.fdatefrom = `${from.value}T00:00:00`;
  if (to.value) fields.fdateto = `${to.value}T23:59:59`;
  if (!fields.fdatefrom && !fields.fdateto) fields.fdatefrom = "1970-01-01T00:00:00";
  return fields;
}

async function load() {
  const turn = ++state.turn;
  at("notice").textContent = "";
  try {
    const reply = await ask({
      ...question(), task: "LISTING", module: "CDR", start: state.start, limit: SIZE, sort: JSON.stringify([state.sort]),
    });
    if (turn !== state.turn) return;
    state.total = Number(reply.total);
    show(reply.results);
  } catch (error) {
    if (turn !== state.turn) return;
    state.total = 0;
    show([]);
    at("notice").textContent = error.message;
  }
}

function show(rows) {
  at("rows").replaceChildren(...rows.map(line));
  at("total").textContent = state.total.toLocaleString("en");
  const last = Math.min(state.start + rows.length, state.total);
  at("place").textContent = rows.length ? `${state.start + 1}–${last} of ${state.total}` : "nothing to show";
  at("newer").disabled = state.start === 0;
  at("older").disabled = last >= state.total;
  for (const head of at("columns").children) {
    const sorted = head.dataset.property === state.sort.property;
    head.ariaSort = sorted ? (state.sort.direction === "ASC" ? "ascending" : "descending") : null;
  }
}

function line(row) {
  const day = String(row.calldate ?? "").replace(/\.\d+$/, "");
  const party = (number, domain, name) => {
    const cell = make("td", {}, number || "–");
    const below = [name, domain].filter(Boolean).join(" · ");
    if (below) cell.append(make("small", { title: below }, below));
    return cell;
  };
  const code = Number(row.lastSIPresponseNum);
  const response = row.lastSIPresponse ?? String(row.lastSIPresponseNum ?? "");
  const kind = code >= 200 && code < 300 ? "tag good" : code >= 500 ? "tag bad" : "tag";
  return make("tr", {},
    make("td", {}, make("time", { dateTime: day.replace(" ", "T") + "Z" }, day), make("small", {}, `call ${row.ID}`)),
    party(row.caller, row.caller_domain, row.callername),
    party(row.called, row.called_domain),
    make("td", {}, row.sensorname ?? (row.id_sensor === null ? "none" : String(row.id_sensor))),
    make("td", { className: "number" }, row.duration ?? ""),
    make("td", {}, make("span", { className: kind, title: response }, response)),
    links(row),
  );
}

function links(row) {
  const id = encodeURIComponent(row.ID);
  const cell = make("td", { className: "links" },
    make("a", { href: `php/pcap.php?id=${id}`, ariaLabel: `Capture of call ${row.ID}` }, "pcap"),
    make("a", { href: `php/pcap2text.php?action=getMSC&id=${id}`, ariaLabel: `SIP ladder of call ${row.ID}` }, "SIP"));
  if (row.connect_duration !== null && row.connect_duration !== undefined) {
    const audio = make("a", { href: `php/${id}.wav`, ariaLabel: `Audio of call ${row.ID}` }, "audio");
    audio.addEventListener("click", (event) => { event.preventDefault(); play(row.ID, audio.href); });
    cell.append(audio);
  }
  return cell;
}

function play(call, source) {
  at("player").hidden = false;
  at("playing").textContent = `Call ${call}`;
  at("audio").hidden = false;
  at("audio").src = source;
  at("audio").play().catch(() => {});
}

at("audio").addEventListener("error", () => {
  if (!at("audio").hasAttribute("src")) return;
  at("audio").hidden = true;
  at("playing").textContent += ": there is no audio of it, or none for you";
});
at("stop").addEventListener("click", () => {
  at("audio").removeAttribute("src");
  at("audio").load();
  at("player").hidden = true;
});

function turnTo(start) {
  state.start = Math.max(0, start);
  load();
}

at("newer").addEventListener("click", () => turnTo(state.start - SIZE));
at("older").addEventListener("click", () => turnTo(state.start + SIZE));
filter.addEventListener("submit", (event) => { event.preventDefault(); turnTo(0); });
filter.addEventListener("reset", () => { state.further = {}; tellFurther(); setTimeout(() => turnTo(0)); });

function columns(names) {
  for (const [title, property] of names) {
    const head = make("th", { scope: "col" });
    if (property) {
      head.dataset.property = property;
      head.append(make("button", { type: "button", onclick: () => {
        const same = state.sort.property === property;
        state.sort = { property, direction: same && state.sort.direction === "DESC" ? "ASC" : "DESC" };
        turnTo(0);
      } }, title));
    } else head.append(title);
    at("columns").append(head);
  }
}

// cdr_filter={fcallid:"…"}: names without quotes are allowed, as the product's links have them.
function fromAddress() {
  const text = new URLSearchParams(location.search).get("cdr_filter");
  if (!text) return {};
  try { return Object(JSON.parse(text)); } catch { /* the loose form */ }
  const found = {};
  for (const [, name, quoted, single, bare] of
    text.matchAll(/([A-Za-z_]\w*)["']?\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w.+-]+))/g)) {
    found[name] = (quoted ?? single ?? bare).replace(/\\(.)/g, "$1");
  }
  return found;
}

function takeFilter(given) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || typeof value === "object") continue;
    if (name === "fdatefrom" || name === "fdateto") {
      filter.elements[name === "fdatefrom" ? "from" : "to"].value = String(value).slice(0, 10);
    } else if (name === "fsensor_id") {
      const option = [...filter.elements.fsensor_id.options].find((one) => one.value === String(value));
      if (option) option.selected = true; else state.further[name] = String(value);
    } else if (FORM.includes(name)) filter.elements[name].value = String(value);
    else state.further[name] = String(value);
  }
  tellFurther();
}

function tellFurther() {
  const names = Object.entries(state.further);
  at("further").hidden = names.length === 0;
  at("further").replaceChildren("Also filtered by ", ...names.map(([name, value]) => make("code", {}, `${name}: ${value}`)));
}

// The last days: the week up to the newest call there is, or up to now where nobody says which that is.
async function lastDays() {
  let newest = new Date();
  try {
    const sort = JSON.stringify([{ property: "calldate", direction: "DESC" }]);
    const all = { task: "LISTING", module: "CDR", fdatefrom: "1970-01-01T00:00:00", start: 0, limit: 1, sort };
    const [row] = (await ask(all)).results;
    if (row) newest = new Date(row.calldate.slice(0, 10) + "T00:00:00Z");
  } catch { /* a bound on the days asked for: then the last seven */ }
  const day = (date) => date.toISOString().slice(0, 10);
  filter.elements.to.defaultValue = day(newest);
  filter.elements.from.defaultValue = day(new Date(newest.getTime() - 6 * 86400e3));
}

async function sensors() {
  try {
    for (const { id, name, id_sensor } of (await ask({ task: "LISTING", module: "sensors" })).results) {
      filter.elements.fsensor_id.append(make("option", { value: id }, `${name || "sensor"} (${id_sensor})`));
    }
  } catch { /* the calls will say why */ }
}

async function who() {
  try {
    const reply = await fetch("/authgw/me", { headers: { Accept: "application/json" } });
    if (!reply.ok) return;
    const me = await reply.json();
    const name = me.name || me.user || me.username;
    if (!name) return;
    at("who").replaceChildren("Logged in as ", make("b", {}, String(name)), me.tenant ? ` · ${me.tenant}` : "");
  } catch { /* nobody in front: nothing to tell */ }
}

// index.php?activecalls=1: the calls that run, instead of those that are over. hidemenu=1: without the page's head.
async function active(address) {
  document.title = "Active calls";
  document.querySelector("h1").firstChild.data = "Active calls ";
  document.querySelector("header").hidden = address.get("hidemenu") === "1";
  for (const part of [filter, document.querySelector("nav")]) part.hidden = true;
  columns([["Since (UTC)"], ["Caller"], ["Called"], ["Sensor"], ["Response"]]);
  try {
    let calls = await ask({ task: "listActiveCalls" }, "php/api.php");
    if (Array.isArray(calls[0])) {
      const [names, ...rows] = calls;
      calls = rows.map((row) => Object.fromEntries(row.map((value, place) => [names[place], value])));
    }
    at("total").textContent = calls.length.toLocaleString("en");
    at("rows").replaceChildren(...calls.map(running));
    if (calls.some((call) => call.replayed)) at("notice").textContent = "These calls are replayed from records.";
  } catch (error) {
    at("notice").textContent = error.message;
  }
}

function running(call) {
  const cells = [
    call.calldate, `${call.caller}@${call.callerdomain}`, `${call.called}@${call.calleddomain}`,
    call.id_sensor ?? "none", call.lastSIPresponseNum,
  ];
  return make("tr", {}, ...cells.map((text) => make("td", {}, String(text ?? ""))));
}

who();
const address = new URLSearchParams(location.search);
if (address.get("activecalls") === "1") active(address);
else {
  columns(COLUMNS);
  Promise.all([sensors(), lastDays()]).then(() => { takeFilter(fromAddress()); load(); });
}
