"""The part of the standard library that user code can use.

At run time there are no files to import from: what is not imported here is not there. `MODULES` is what the README
promises and the tests try; `BEHIND` is what these import only when they are used.
"""

import importlib

MODULES = """
    abc array ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys configparser
    contextlib contextvars copy csv dataclasses datetime decimal difflib email email.message email.mime.multipart
    email.mime.text email.parser email.policy email.utils enum fnmatch fractions functools gc graphlib gzip hashlib
    heapq hmac html html.entities html.parser http http.cookies inspect io ipaddress itertools json keyword locale
    logging math mimetypes numbers operator os os.path pathlib pickle pprint queue quopri random re reprlib secrets
    shlex statistics string string.templatelib struct sys textwrap time tomllib traceback types typing unicodedata
    urllib.error urllib.parse uuid warnings weakref xml.dom.minidom xml.etree.ElementTree xml.sax.saxutils zipfile zlib
    zoneinfo
""".split()

BEHIND = """
    _ast_unparse _colorize _compat_pickle _pydatetime _pydecimal _strptime annotationlib copyreg dis email.base64mime
    email.charset email.contentmanager email.encoders email.feedparser email.generator email.header
    email.headerregistry email.mime.application email.mime.base email.mime.nonmultipart email.quoprimime
    importlib.machinery importlib.util linecache ntpath opcode posixpath stringprep token tokenize
    xml.dom.expatbuilder xml.dom.pulldom xml.etree.ElementPath xml.parsers.expat xml.sax xml.sax.expatreader
    zipfile._path zoneinfo._common zoneinfo._tzpath
""".split()

ENCODINGS = """
    ascii base64_codec charmap cp1250 cp1251 cp1252 cp1253 cp1254 cp1257 cp437 cp850 cp866 hex_codec idna iso8859_1
    iso8859_15 iso8859_2 iso8859_5 iso8859_7 iso8859_9 koi8_r koi8_u latin_1 mac_roman punycode quopri_codec
    raw_unicode_escape rot_13 big5 cp932 euc_jp euc_kr gb18030 gb2312 gbk iso2022_jp shift_jis unicode_escape utf_16
    utf_16_be utf_16_le utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig zlib_codec
""".split()


def everything():
    """Imports all of it."""
    for name in [*MODULES, *BEHIND, *[f'encodings.{encoding}' for encoding in ENCODINGS]]:
        importlib.import_module(name)
