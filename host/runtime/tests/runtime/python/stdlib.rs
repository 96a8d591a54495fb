//! Every module of the standard library that the engine's README promises does one thing.

use super::{load, run};
use pintle_runtime::transformation::Entry;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// A module, and something true about it. Several statements are separated by newlines, the last one is the
/// expression.
const MODULES: &[(&str, &str)] = &[
    ("abc", "abc.ABC.__subclasshook__(int) is NotImplemented"),
    ("array", "array.array('i', [1, 2]).tobytes()[0] == 1"),
    ("ast", "ast.unparse(ast.parse('a+1')) == 'a + 1' and ast.literal_eval('[1]') == [1]"),
    ("base64", "base64.urlsafe_b64encode(b'\\xff\\xfe') == b'__4='"),
    ("binascii", "binascii.crc32(b'x') == 2363233923 and binascii.hexlify(b'a') == b'61'"),
    ("bisect", "bisect.bisect([1, 3], 2) == 1"),
    ("calendar", "calendar.monthrange(2024, 2) == (3, 29) and calendar.day_name[0] == 'Monday'"),
    ("cmath", "cmath.sqrt(-1) == 1j"),
    ("codecs", "codecs.encode('abc', 'rot13') == 'nop' and 'ä'.encode('cp1252') == b'\\xe4'"),
    ("collections", "collections.Counter('aab').most_common(1) == [('a', 2)]"),
    ("collections.abc", "isinstance({}, collections.abc.Mapping)"),
    ("colorsys", "colorsys.rgb_to_hsv(1, 0, 0) == (0.0, 1.0, 1)"),
    ("configparser", "c = configparser.ConfigParser()\nc.read_string('[a]\\nb=1')\nc['a'].getint('b') == 1"),
    (
        "contextlib",
        "s = contextlib.suppress(KeyError)\ns.__enter__() is None and s.__exit__(KeyError, KeyError(), None)",
    ),
    ("contextvars", "v = contextvars.ContextVar('v', default=1)\nv.get() == 1"),
    ("copy", "copy.deepcopy([[1]]) == [[1]]"),
    ("csv", "list(csv.DictReader(['a,b', '1,\"2,3\"'])) == [{'a': '1', 'b': '2,3'}]"),
    ("dataclasses", "C = dataclasses.make_dataclass('C', [('a', int)])\ndataclasses.asdict(C(1)) == {'a': 1}"),
    (
        "datetime",
        "datetime.datetime.strptime('14 Nov 2023', '%d %b %Y').date() == datetime.date.fromisoformat('2023-11-14')",
    ),
    ("decimal", "decimal.Decimal('0.1') * 3 == decimal.Decimal('0.3')"),
    ("difflib", "difflib.get_close_matches('colour', ['color']) == ['color']"),
    ("email", "email.message_from_string('Subject: a\\n\\nb')['subject'] == 'a'"),
    (
        "email.message",
        "m = email.message.EmailMessage()\nm['Subject'] = 'é'\nm.set_content('日')\nb'=?utf-8?' in bytes(m).lower()",
    ),
    ("email.mime.multipart", "'multipart/mixed' in email.mime.multipart.MIMEMultipart().as_string()"),
    ("email.mime.text", "email.mime.text.MIMEText('é').get_payload(decode=True) == 'é'.encode()"),
    ("email.parser", "email.parser.BytesParser().parsebytes(b'a: b\\n\\n')['a'] == 'b'"),
    (
        "email.policy",
        "email.message_from_string('To: A <a@b>', policy=email.policy.default)['to'].addresses[0].domain == 'b'",
    ),
    ("email.utils", "email.utils.parseaddr('A <a@b.c>') == ('A', 'a@b.c') and email.utils.formatdate(0)[:3] == 'Thu'"),
    ("enum", "enum.Enum('E', 'A B').B.value == 2"),
    ("fnmatch", "fnmatch.fnmatch('a.txt', '*.txt')"),
    ("fractions", "fractions.Fraction('1/3') * 3 == 1"),
    ("functools", "functools.reduce(lambda a, b: a + b, [1, 2]) == 3 and functools.lru_cache(len)('ab') == 2"),
    ("gc", "gc.collect() >= 0"),
    ("graphlib", "list(graphlib.TopologicalSorter({1: [2]}).static_order()) == [2, 1]"),
    ("gzip", "gzip.decompress(gzip.compress(b'a' * 99)) == b'a' * 99"),
    (
        "hashlib",
        "hashlib.sha256(b'').hexdigest()[:8] == 'e3b0c442' and hashlib.md5(b'').hexdigest()[:4] == 'd41d' and hashlib.new('sha3_256') and hashlib.blake2b(b'')",
    ),
    ("heapq", "heapq.nsmallest(1, [3, 1]) == [1]"),
    ("hmac", "hmac.new(b'k', b'm', 'sha256').hexdigest()[:6] == 'b60090' and hmac.compare_digest('a', 'a')"),
    ("html", "html.unescape('&eacute;') == 'é'"),
    ("html.entities", "html.entities.name2codepoint['lt'] == 60"),
    (
        "html.parser",
        "p = html.parser.HTMLParser()\nseen = []\np.handle_data = seen.append\np.feed('<b>x</b>')\nseen == ['x']",
    ),
    ("http", "http.HTTPStatus(404).phrase == 'Not Found'"),
    ("http.cookies", "http.cookies.SimpleCookie('a=1')['a'].value == '1'"),
    ("inspect", "str(inspect.signature(lambda a, b=1: a)) == '(a, b=1)'"),
    ("io", "io.StringIO('a\\nb').readlines() == ['a\\n', 'b'] and io.BytesIO(b'x').read() == b'x'"),
    ("ipaddress", "ipaddress.ip_address('10.1.2.3') in ipaddress.ip_network('10.0.0.0/8')"),
    ("itertools", "list(itertools.batched([1, 2, 3], 2)) == [(1, 2), (3,)]"),
    ("json", "json.loads(json.dumps({'a': [1.5, None]}, indent=1)) == {'a': [1.5, None]}"),
    ("keyword", "keyword.iskeyword('def')"),
    ("locale", "locale.localeconv()['decimal_point'] == '.'"),
    ("logging", "logging.getLogger('a.b').getEffectiveLevel() == logging.WARNING"),
    ("math", "math.isclose(math.hypot(3, 4), 5)"),
    ("mimetypes", "mimetypes.guess_type('a.png')[0] == 'image/png'"),
    ("numbers", "isinstance(1, numbers.Integral)"),
    ("operator", "operator.itemgetter('a')({'a': 1}) == 1"),
    ("os", "os.sep == '/' and os.getcwd()"),
    ("os.path", "os.path.splitext('a/b.c')[1] == '.c'"),
    ("pathlib", "pathlib.PurePosixPath('/a/b.txt').stem == 'b'"),
    ("pickle", "pickle.loads(pickle.dumps({'a': (1, 2)})) == {'a': (1, 2)}"),
    ("pprint", "pprint.pformat({'b': 1, 'a': 2}) == \"{'a': 2, 'b': 1}\""),
    ("queue", "q = queue.Queue()\nq.put(1)\nq.get() == 1"),
    ("quopri", "quopri.encodestring('é'.encode()) == b'=C3=A9'"),
    ("random", "random.seed(1)\nrandom.randint(1, 100) == 18 and len(random.sample(range(9), 3)) == 3"),
    ("re", "re.sub(r'(\\w+)@(\\w+)', r'\\2', 'me@home') == 'home'"),
    ("reprlib", "'...' in reprlib.repr(list(range(99)))"),
    ("secrets", "len(secrets.token_urlsafe(8)) == 11 and secrets.choice([1]) == 1"),
    ("shlex", "shlex.split('a \"b c\"') == ['a', 'b c']"),
    ("statistics", "statistics.median([1, 2, 9]) == 2 and round(statistics.stdev([1, 2, 3])) == 1"),
    ("string", "string.Template('$a').substitute(a=1) == '1' and string.Formatter().format('{0!r}', 'x') == \"'x'\""),
    ("string.templatelib", "type(eval('t\"{1}\"')) is string.templatelib.Template"),
    ("struct", "struct.unpack('>H', b'\\x01\\x02') == (258,)"),
    ("sys", "sys.version_info[:2] == (3, 14)"),
    ("textwrap", "textwrap.dedent('  a') == 'a' and textwrap.shorten('a b c', 4, placeholder='') == 'a b'"),
    ("time", "time.strptime('2023', '%Y').tm_year == 2023 and time.gmtime(0).tm_year == 1970"),
    ("tomllib", "tomllib.loads('a = 1') == {'a': 1}"),
    ("traceback", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    text = traceback.format_exc()\n'division' in text"),
    ("types", "types.SimpleNamespace(a=1).a == 1"),
    ("typing", "typing.get_type_hints(typing.NamedTuple('N', [('a', int)])) == {'a': int}"),
    ("unicodedata", "unicodedata.normalize('NFD', 'é') == 'e\\u0301'"),
    ("urllib.error", "issubclass(urllib.error.HTTPError, OSError)"),
    (
        "urllib.parse",
        "urllib.parse.parse_qs(urllib.parse.urlsplit('https://é.example/?a=%20b').query) == {'a': [' b']}",
    ),
    (
        "uuid",
        "uuid.uuid5(uuid.NAMESPACE_DNS, 'a').version == 5 and uuid.uuid1().version == 1 and uuid.uuid4() != uuid.uuid4()",
    ),
    ("warnings", "warnings.warn('careful') is None"),
    ("weakref", "class A: pass\na = A()\nweakref.ref(a)() is a"),
    ("xml.dom.minidom", "xml.dom.minidom.parseString('<a b=\"1\"/>').documentElement.getAttribute('b') == '1'"),
    (
        "xml.etree.ElementTree",
        "xml.etree.ElementTree.fromstring('<a><b c=\"1\">x</b></a>').find('b[@c=\"1\"]').text == 'x'",
    ),
    ("xml.sax.saxutils", "xml.sax.saxutils.escape('<') == '&lt;'"),
    (
        "zipfile",
        "import io\nb = io.BytesIO()\nz = zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED)\nz.writestr('a', 'xx')\nz.close()\nzipfile.ZipFile(b).read('a') == b'xx'",
    ),
    ("zlib", "zlib.decompress(zlib.compress(b'a')) == b'a'"),
    (
        "zoneinfo",
        "import datetime\ndatetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset().seconds == 7200 and 'Asia/Tokyo' in zoneinfo.available_timezones()",
    ),
];

const HARNESS: &str = "
def transformEvent(event):
    *before, expression = event['code'].split('\\n')
    scope = {}
    exec('import ' + event['module'] + '\\n' + '\\n'.join(before), scope)
    return {'true': bool(eval(expression, scope))}
";

#[tokio::test]
async fn each_module_does_something() {
    let transformation = load(HARNESS).await;
    let events: Vec<Value> =
        MODULES.iter().map(|(module, code)| json!({"module": module, "code": code, "messageId": module})).collect();
    let reply = run(&transformation, &events).await.unwrap();
    let wrong: Vec<String> = reply
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Output { event, .. } if event.get() == r#"{"true":true}"# => None,
            Entry::Output { index, event } => Some(format!("{}: {event}", MODULES[*index].0)),
            Entry::Error { index, message, .. } => Some(format!("{}: {message}", MODULES[*index].0)),
            Entry::Dropped { index } => Some(format!("{}: dropped", MODULES[*index].0)),
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(reply.entries.len(), MODULES.len());
}

#[test]
fn what_is_promised_is_tried_and_what_is_tried_is_promised() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/engines/python");
    let tried: BTreeSet<&str> = MODULES.iter().map(|(module, _)| *module).collect();
    let preload = std::fs::read_to_string(engine.join("src/pintle/preload.py")).unwrap();
    let loaded = preload.split("MODULES = \"\"\"").nth(1).unwrap().split("\"\"\"").next().unwrap();
    assert_eq!(loaded.split_whitespace().collect::<BTreeSet<_>>(), tried);
    let readme = std::fs::read_to_string(engine.join("README.md")).unwrap();
    let promised = readme.split("<!-- modules -->").nth(1).unwrap();
    let promised: BTreeSet<&str> = promised.split('`').skip(1).step_by(2).collect();
    assert_eq!(promised, tried);
}
