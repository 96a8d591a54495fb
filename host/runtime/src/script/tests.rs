use super::link::link;
use super::module::Module;
use super::*;
use std::collections::BTreeMap;

const LIMITS: Limits = Limits { module_bytes_max: 1 << 20, all_bytes_max: 1 << 20 };

fn module_to_script(code: &str) -> Result<Script, Problem> {
    match link(code, &BTreeMap::new(), LIMITS) {
        Ok(mut prepared) => Ok(Script {
            source: prepared.modules.pop().expect("the user's module comes last").source,
            exports: prepared.exports,
        }),
        Err(fault) => Err(fault.problem),
    }
}

#[derive(Debug)]
struct Script {
    source: String,
    exports: Vec<String>,
}

fn script(code: &str) -> String {
    let prepared = module_to_script(code).unwrap_or_else(|problem| panic!("{problem:?}\n{code}"));
    let lines = |text: &str| text.lines().map(|line| line.encode_utf16().count()).collect::<Vec<_>>();
    assert_eq!(lines(code), lines(&prepared.source)[..code.lines().count()], "{}", prepared.source);
    prepared.source
}

fn problem(code: &str) -> (u32, u32, String) {
    let problem = module_to_script(code).unwrap_err();
    let (line, column) = position(code, problem.offset);
    (line, column, problem.message)
}

#[test]
fn exports_become_spaces_and_are_remembered() {
    let code = "export const a = 1;\nexport async function transformEvent(event) { return event }\nexport { a as b };";
    let prepared = module_to_script(code).unwrap();
    assert_eq!(
        prepared.source,
        "       const a = 1;\n       async function transformEvent(event) { return event }\n;                 "
    );
    assert_eq!(prepared.exports, ["a", "transformEvent", "b"]);
}

#[test]
fn a_handler_under_another_name_gets_its_own_behind_the_last_line() {
    let prepared = module_to_script("const f = (e) => e;\nexport { f as transformEvent };").unwrap();
    assert!(prepared.source.ends_with("\nconst transformEvent = f;"), "{}", prepared.source);
    assert_eq!(prepared.exports, ["transformEvent"]);
}

#[test]
fn every_kind_of_default_export_stays_a_statement() {
    assert_eq!(script("export default function f() {}"), "               function f() {}");
    assert_eq!(script("export default class A {}"), "               class A {}");
    assert_eq!(script("export default (a) => a;"), ";$default=     (a) => a;");
    let anonymous = module_to_script("export default function () {}\n(1)").unwrap();
    assert_eq!(anonymous.source, ";$default=     function () {};\n(1)");
    assert_eq!(anonymous.exports, ["default"]);
}

#[test]
fn erasable_typescript_is_erased_in_place() {
    let squeeze = |text: &str| text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    for (typed, plain) in [
        ("let a: number = 1, b!: string;", "let a = 1, b ;"),
        ("const x = y as unknown as string;", "const x = y ;"),
        ("const x = y! + z satisfies T;", "const x = y + z ;"),
        ("f<string>(x); new Map<string, number>();", "f (x); new Map ();"),
        ("function f(this: X, a?: number, ...b: T[]): void {}", "function f( a , ...b ) {}"),
        ("const f = <T,>(a: T): T => a;", "const f = (a ) => a;"),
        ("import type { A } from 'x'; let b;", "; let b;"),
        ("import { type A, type B } from 'x';", "; "),
        // The semicolon ends the type: it stays at its start.
        ("a = b\ntype X = {}\n;(c)", "a = b\n; \n (c)"),
        ("a = b\ninterface X { y: 1 }\n(c)", "a = b\n; \n(c)"),
        ("declare const a: number;", "; "),
        ("declare function f(): void;\nenumerate()", "; \nenumerate()"),
        ("function f(a: 1): 1;\nfunction f(a) { return a }", "; \nfunction f(a) { return a }"),
        ("abstract class A<T> extends B<T> implements C, D<T> { }", " class A extends B { }"),
        (
            "class A { private readonly x: number = 1; static y?: string; z!: 1; }",
            "class A { ; x = 1; static y ; z ; }",
        ),
        ("class A { x = 1\n public *g(): X {} }", "class A { x = 1\n ; *g() {} }"),
        ("class A { abstract f(): void; g?(): void {} declare h: 1; [k: string]: 1 }", "class A { ; g () {} ; ; }"),
        ("try {} catch (e: unknown) {}", "try {} catch (e ) {}"),
        ("export type { A }; export type B = 1; export interface C {}", "; ; ; "),
    ] {
        assert_eq!(squeeze(&script(typed)), squeeze(plain), "{typed}");
    }
}

#[test]
fn types_in_wide_characters_keep_columns() {
    let code = "let a: '日本😀' = b;";
    let erased = script(code);
    assert_eq!(erased.trim_start_matches("let a").trim(), "= b;");
}

#[test]
fn what_cannot_be_erased_is_refused_with_its_place() {
    for (code, line, column, part) in [
        ("let a: 1;\nenum E { A }", 2, 1, "enum: only TypeScript that can be erased"),
        ("class A { constructor(private x: number) {} }", 1, 23, "parameter property"),
        ("namespace N { export const a = 1 }", 1, 1, "namespace"),
        ("let a = <string>b;", 1, 9, "angle brackets"),
        ("import x = require('y');", 1, 1, "import ="),
        ("let a: 1; export = a;", 1, 11, "export ="),
    ] {
        let (at_line, at_column, message) = problem(code);
        assert_eq!((at_line, at_column), (line, column), "{code}: {message}");
        assert!(message.contains(part), "{code}: {message}");
    }
}

#[test]
fn what_a_module_may_not_use_is_named() {
    for (code, column, part) in [
        ("const x = await 1;", 11, "await"),
        ("for await (const x of y);", 1, "await"),
        ("const x = () => import('x');", 17, "import()"),
        ("let x = import.meta.url;", 9, "import.meta"),
        ("@decorated class A {}", 1, "decorators"),
    ] {
        let (line, at, message) = problem(code);
        assert_eq!((line, at), (1, column), "{code}: {message}");
        assert!(message.contains(part), "{code}: {message}");
    }
    script("const f = async () => { for await (const x of await y()); };");
}

#[test]
fn the_language_in_which_the_parser_got_further_reports_the_mistake() {
    let (line, column, message) = problem("let a: string = 'x';\nlet b: number = = 2;");
    assert_eq!((line, column), (2, 17), "{message}");
    let (line, column, message) = problem("let a = 1;\nlet b = ;");
    assert_eq!((line, column), (2, 9), "{message}");
}

#[test]
fn a_type_that_separates_an_arrow_from_its_parameters_is_refused() {
    let (line, _, message) = problem("const f = (a): {\n  b: 1\n} => a;");
    assert!(line >= 1 && message.contains("write the type on one line"), "{message}");
}

#[test]
fn nothing_that_a_source_does_overflows_the_stack() {
    let bytes = 64 << 10;
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("!", ""),
        ("-+", ""),
        ("new ", ""),
        ("a=>", ""),
        ("a?", ""),
        ("a=", ""),
        ("a**", ""),
        ("1+", ""),
        ("a.", ""),
        ("a(", ")"),
        ("typeof ", ""),
        ("if(1)", ""),
        ("for(;;)", ""),
        ("a:", ""),
        ("`${", "}`"),
        ("function f(){", "}"),
        ("class A extends ", ""),
        ("async()=>", ""),
        ("[...", "]"),
        ("({a:", "})"),
        ("do ", ""),
        ("x as ", ""),
        ("let a: (", ")"),
        ("let a: keyof ", ""),
        ("type A = B<", ">"),
        ("<T>", ""),
        ("let a: A[", "]"),
        ("/*", ""),
        ("else ", ""),
        ("switch(a){case 1:", "}"),
        ("try{", "}catch{}"),
        ("a,", ""),
        ("a??", ""),
        ("()=>", ""),
        ("let {a:", "}"),
        ("import(", ")"),
        ("await ", ""),
        ("yield ", ""),
        ("@a", ""),
        ("class{[", "]}"),
    ] {
        let times = bytes / open.len().max(1);
        for code in [open.repeat(times), format!("{}1{}", open.repeat(times), close.repeat(times))] {
            let stack = STACK_BYTES_MIN + code.len() * STACK_BYTES_PER_SOURCE_BYTE;
            let parser = std::thread::Builder::new().stack_size(stack);
            // Well-formed or not: it comes back.
            let _ = parser.spawn(move || module_to_script(&code).is_ok()).unwrap().join().unwrap();
        }
    }
}

/// Import name and prelude of each module, in order.
type Linked = Vec<(String, String)>;

/// In which library, where and what.
type Misfit = (Option<String>, usize, String);

/// Links a module with libraries.
fn linked(code: &str, libraries: &[(&str, &str)]) -> Result<Linked, Misfit> {
    let libraries = libraries.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
    let prepared =
        link(code, &libraries, LIMITS).map_err(|fault| (fault.library, fault.problem.offset, fault.problem.message))?;
    Ok(prepared.modules.into_iter().map(|module| (module.import_name, module.prelude)).collect())
}

#[test]
fn libraries_come_before_those_that_need_them_and_only_once() {
    let modules = linked(
        "import tidy, { trim as cut } from 'tidy';\nimport * as strings from 'strings';\nexport function transformEvent() {}",
        &[
            ("tidy", "import { trim } from 'strings'; export default trim; export { trim };"),
            ("strings", "export const trim = (text) => text.trim();"),
            ("unused", "this is not JavaScript"),
        ],
    )
    .unwrap();
    let names: Vec<_> = modules.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["strings", "tidy", ""]);
    assert_eq!(
        modules[2].1,
        r#"const $modules=arguments[1];const tidy=$modules["tidy"]["default"];const cut=$modules["tidy"]["trim"];const strings=$modules["strings"];"#
    );
}

#[test]
fn a_library_ends_in_the_object_of_its_exports() {
    let libraries = [
        ("a", "export const x = 1;\nexport default class {}\nexport * from 'b';"),
        ("b", "export let y = 2, x = 3; export { y as z, y as default };"),
    ];
    let libraries = libraries.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
    let prepared = link("import 'a'; export function transformEvent() {}", &libraries, LIMITS).unwrap();
    assert!(
        prepared.modules[1].source.ends_with(
            "\n;({__proto__:null,get \"x\"(){return x},get \"default\"(){return $default},get \"y\"(){return $modules[\"b\"][\"y\"]},get \"z\"(){return $modules[\"b\"][\"z\"]}});"
        ),
        "{}",
        prepared.modules[1].source
    );
}

#[test]
fn what_is_wrong_with_an_import_is_said_where_it_stands() {
    let problem = |code: &str, libraries: &[(&str, &str)]| linked(code, libraries).unwrap_err();
    let (library, offset, message) = problem("let a;\nimport x from 'nowhere';", &[("here", "")]);
    assert_eq!((library, offset), (None, 21));
    assert_eq!(message, "import from nowhere failed. Module not found; the libraries are here");

    let (library, offset, message) = problem("import { nope } from 'a';", &[("a", "export const yes = 1;")]);
    assert_eq!((library, offset), (None, 9), "{message}");
    assert!(message.contains("\"a\" does not export \"nope\"; it exports yes"), "{message}");

    let (library, offset, message) = problem("import 'a';", &[("a", "import 'b';"), ("b", "\nimport 'a';")]);
    assert_eq!((library.as_deref(), offset, message.as_str()), (Some("b"), 8, "import cycle: a -> b -> a"));

    let (library, offset, message) = problem("import 'a';", &[("a", "let x = ;")]);
    assert_eq!((library.as_deref(), offset), (Some("a"), 8), "{message}");
}

#[test]
fn types_are_imported_from_nowhere() {
    let modules =
        linked("import type { A } from 'x'; import { type B } from 'y'; export type { C } from 'z';\nlet a: A;", &[]);
    assert_eq!(modules.unwrap().len(), 1);
}

#[test]
fn a_script_of_version_0_stays_as_it_is() {
    for code in ["function transform(events) { return events }", "var transform = async (e) => e; x = 010; with (x) {}"]
    {
        let module = Module::parse(code).unwrap();
        assert!(module.version_0 && module.source == code, "{module:?}");
        assert_eq!(module_to_script(code).unwrap().exports, ["version-0:transform"]);
    }
    assert!(!Module::parse("export function transform(events) {}").unwrap().version_0);
    assert!(!Module::parse("function transformEvent(event) {}").unwrap().version_0);
}

#[test]
fn libraries_that_are_too_large_are_refused_when_they_are_needed() {
    let libraries = [("a", "export const a = 1;"), ("b", "export const b = 2;")];
    let libraries = libraries.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
    let message = |code: &str, module_bytes_max, all_bytes_max| {
        link(code, &libraries, Limits { module_bytes_max, all_bytes_max }).unwrap_err().problem.message
    };
    assert!(message("import 'a';", 18, 100).contains("more than the 18 of source-bytes-max"));
    assert!(message("import 'a'; import 'b';", 19, 60).contains("more than the 60 bytes of linked-bytes-max"));
    link("let a = 1;", &libraries, Limits { module_bytes_max: 10, all_bytes_max: 10 }).unwrap();
}
