"""What the pages say, in every language they speak. Keyed by id, so that a missing translation is a failing test."""

from __future__ import annotations

from authgw.reasons import Reason

LANGUAGES = ("en", "cs")
_MAX_HEADER = 512

TEXTS: dict[str, tuple[str, str]] = {
    "product": ("VoIPmonitor access", "Přístup k VoIPmonitoru"),
    "login.title": ("Sign in", "Přihlášení"),
    "login.user": ("User name", "Uživatelské jméno"),
    "login.password": ("Password", "Heslo"),
    "login.submit": ("Sign in", "Přihlásit se"),
    "login.signed_in": ("You are signed in as {user}.", "Jste přihlášeni jako {user}."),
    "login.continue": ("Continue", "Pokračovat"),
    "login.form": (
        "This form has expired, or your browser did not send its cookie. Please sign in again here.",
        "Platnost formuláře vypršela nebo prohlížeč neposlal cookie. Přihlaste se prosím znovu zde.",
    ),
    "login.bad": (
        "Invalid username or password. Check both and try again; if you forgot your password, ask your administrator.",
        "Neplatné jméno nebo heslo. Zkontrolujte obojí a zkuste to znovu; zapomenuté heslo řeší váš správce.",
    ),
    "login.empty": (
        "Enter your user name and your password.",
        "Zadejte uživatelské jméno i heslo.",
    ),
    "login.blocked": (
        "Your account is blocked. Ask your administrator to open it again.",
        "Váš účet je zablokován. Požádejte správce o jeho odblokování.",
    ),
    "login.note": ("Reason given: {note}", "Uvedený důvod: {note}"),
    "login.address": (
        "Your remote address not allowed in your account. Sign in from an allowed network, or ask your administrator.",
        "Z této adresy se k vašemu účtu nelze přihlásit. Použijte povolenou síť nebo se obraťte na správce.",
    ),
    "login.expired": (
        "Your password has expired. Ask your administrator for a new one.",
        "Platnost vašeho hesla vypršela. Požádejte správce o nové.",
    ),
    "login.factor": (
        "Your account needs a second factor, which this gateway cannot ask for yet. Ask your administrator.",
        "Váš účet vyžaduje druhý faktor, na který se tato brána zatím neumí zeptat. Obraťte se na správce.",
    ),
    "login.rights": (
        "The permissions of your account cannot be used. Ask your administrator; the log says what is wrong with them.",
        "Oprávnění vašeho účtu nelze použít. Obraťte se na správce; v záznamu se dozví, co je na nich špatně.",
    ),
    "login.wait": (
        "Too many failed logins. Try again in {wait}.",
        "Příliš mnoho neúspěšných přihlášení. Zkuste to znovu za {wait}.",
    ),
    "login.failed": (
        "The login service cannot be reached. Your password was not refused; try again in {wait}.",
        "Přihlašovací služba je nedostupná. Heslo nebylo odmítnuto; zkuste to znovu za {wait}.",
    ),
    "login.busy": (
        "Many people are signing in right now. Try again in {wait}.",
        "Právě se přihlašuje mnoho lidí. Zkuste to znovu za {wait}.",
    ),
    "login.store": (
        "Sessions cannot be stored at the moment. Try again in {wait}; if it lasts, tell your administrator.",
        "Relace teď nelze uložit. Zkuste to znovu za {wait}; pokud potíže trvají, řekněte to správci.",
    ),
    "wait.seconds": ("{n} s", "{n} s"),
    "wait.minutes": ("{n} min", "{n} min"),
    "logout.title": ("Sign out", "Odhlášení"),
    "logout.text": ("You are signed in as {user}.", "Jste přihlášeni jako {user}."),
    "logout.submit": ("Sign out", "Odhlásit se"),
    "logout.cross": (
        "This request to sign out came from another page. Use the button below if you want to sign out.",
        "Požadavek na odhlášení přišel z jiné stránky. Chcete-li se odhlásit, použijte tlačítko níže.",
    ),
    "logged_out.title": ("You are signed out", "Jste odhlášeni"),
    "logged_out.text": (
        "Your session has ended on all pages of this browser.",
        "Vaše relace v tomto prohlížeči skončila na všech stránkách.",
    ),
    "logged_out.again": ("Sign in again", "Přihlásit se znovu"),
    "message.code": ("Support code:", "Kód pro podporu:"),
    "message.login": ("Sign in", "Přihlásit se"),
    "message.why": ("Why not", "Proč ne"),
    "message.missing": ("What is missing", "Co chybí"),
    "message.whom": ("Whom to ask", "Na koho se obrátit"),
    "message.administrator": (
        "The administrator of this gateway; pass on the support code.",
        "Správce této brány; sdělte mu kód pro podporu.",
    ),
    "denied.title": ("This is not open to you", "Sem nemáte přístup"),
    "denied.flag": ("Your account does not have the right this needs.", "Váš účet nemá potřebné oprávnění."),
    "denied.limited": ("A limit of your account closes this.", "Brání tomu omezení vašeho účtu."),
    "denied.scope": (
        "This cannot be narrowed to the calls you may see, so it is open only to users who may see all of them.",
        "Toto nelze zúžit na hovory, které smíte vidět, proto je to jen pro uživatele, kteří smějí vidět všechny.",
    ),
    "denied.pages": (
        "The GUI's own pages are open only to users who may see all calls. Scripts that use the Web API work for you.",
        "Stránky GUI jsou jen pro uživatele, kteří smějí vidět všechny hovory. Skripty vám přes Web API fungují.",
    ),
    "denied.call": (
        "The gateway does not know this address, and lets nothing through that it does not know.",
        "Brána tuto adresu nezná a nic, co nezná, nepouští dál.",
    ),
    "denied.reason": (
        "Your account has to give a reason for each download. Go back and enter one.",
        "U každého stažení musíte uvést důvod. Vraťte se a zadejte ho.",
    ),
    "denied.other": ("The gateway refused this request.", "Brána tento požadavek odmítla."),
    "session.title": ("Please sign in", "Přihlaste se prosím"),
    "session.text": (
        "There is no live session. It may have ended because it was not used for a while.",
        "Není tu žádná živá relace. Mohla skončit, protože se nějakou dobu nepoužívala.",
    ),
    "missing.title": ("Not found", "Nenalezeno"),
    "missing.text": ("There is no such thing here.", "Nic takového tu není."),
    "request.title": ("The request cannot be read", "Požadavku nelze rozumět"),
    "request.text": (
        "Something in the request is malformed or too large. Go back and try again from the page you came from.",
        "Něco v požadavku je poškozené nebo příliš velké. Vraťte se a zkuste to znovu z předchozí stránky.",
    ),
    "scan.text": (
        "The search spans too long a time. Choose a shorter one.",
        "Hledání zabírá příliš dlouhé období. Zvolte kratší.",
    ),
    "trouble.title": ("This does not work right now", "Teď to nefunguje"),
    "trouble.upstream": (
        "VoIPmonitor behind this gateway gave no usable answer. Try again in a moment.",
        "VoIPmonitor za touto bránou neodpověděl použitelně. Zkuste to za chvíli znovu.",
    ),
    "trouble.store": (
        "Sessions cannot be read at the moment. Try again in a moment.",
        "Relace teď nelze číst. Zkuste to za chvíli znovu.",
    ),
    "trouble.internal": (
        "Something went wrong in the gateway. The log knows more under the support code.",
        "V bráně se něco pokazilo. Záznam o tom ví více pod kódem pro podporu.",
    ),
}

LOGIN: dict[Reason, str] = {
    Reason.BAD_CREDENTIALS: "login.bad",
    Reason.USER_MALFORMED: "login.bad",
    Reason.EMPTY_CREDENTIALS: "login.empty",
    Reason.BLOCKED: "login.blocked",
    Reason.ADDRESS_NOT_ALLOWED: "login.address",
    Reason.PASSWORD_EXPIRED: "login.expired",
    Reason.SECOND_FACTOR_UNAVAILABLE: "login.factor",
    Reason.RIGHTS_INVALID: "login.rights",
    Reason.THROTTLED: "login.wait",
    Reason.LOCKED_OUT: "login.wait",
    Reason.LOGIN_FAILED: "login.failed",
    Reason.LOGIN_BUSY: "login.busy",
    Reason.STORE_UNAVAILABLE: "login.store",
}

_DENIED = {
    Reason.MISSING_FLAG: "denied.flag",
    Reason.LIMITED: "denied.limited",
    Reason.UNSCOPED_ONLY: "denied.scope",
    Reason.PAGES_NOT_SERVED: "denied.pages",
    Reason.UNKNOWN_CALL: "denied.call",
    Reason.NEVER: "denied.call",
    Reason.REASON_DEMANDED: "denied.reason",
}


class Texts:
    """The texts of one language: `t("login.bad")`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._index = LANGUAGES.index(self.language)

    def __call__(self, id: str, **values: object) -> str:
        text = TEXTS[id][self._index]
        return text.format(**values) if values else text

    def wait(self, seconds: int) -> str:
        """A time to wait, as people say it: up to two minutes in seconds, then in whole minutes."""
        if seconds <= 120:
            return self("wait.seconds", n=seconds)
        return self("wait.minutes", n=-(-seconds // 60))


def heading_and_text(status: int, reason: Reason) -> tuple[str, str]:
    """The ids of the heading and the sentence for a refusal."""
    if reason is Reason.NO_SESSION or status == 401:
        return "session.title", "session.text"
    if status == 404:
        return "missing.title", "missing.text"
    if status == 403:
        return "denied.title", _DENIED.get(reason, "denied.other")
    if reason in (Reason.SCAN_TOO_WIDE, Reason.SCAN_TIMEOUT):
        return "request.title", "scan.text"
    if status < 500:
        return "request.title", "request.text"
    if reason is Reason.STORE_UNAVAILABLE:
        return "trouble.title", "trouble.store"
    return "trouble.title", "trouble.upstream" if reason.value.startswith("upstream") else "trouble.internal"


def choose(accept_language: str) -> str:
    """The language of a reader: the one with the highest quality in Accept-Language (RFC 9110, 12.5.4) that we have."""
    best, language = 0.0, LANGUAGES[0]
    for part in accept_language[:_MAX_HEADER].split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if name in LANGUAGES and quality > best:
            best, language = quality, name
    return language


def _quality(parameter: str) -> float:
    if not parameter.strip():
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        quality = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return quality if 0 < quality <= 1 else 0.0
