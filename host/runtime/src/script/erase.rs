//! Walks a module and notes what to erase, or the first thing that cannot be erased.

use super::Problem;
use super::edits::Edits;
use super::modifiers::typescript_words;
use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;
use std::collections::BTreeMap;

pub(super) struct Eraser<'c> {
    code: &'c str,
    edits: Edits,
    problem: Option<Problem>,
    functions: usize,
    /// What an anonymous default export is assigned to.
    default_binding: &'c str,
    /// Names of `export { local as name }`, by name.
    named: BTreeMap<String, String>,
}

/// What a walk has found.
pub(super) struct Erased {
    pub(super) edits: Edits,
    /// The local names behind `export { local as name }`, by name.
    pub(super) named: BTreeMap<String, String>,
}

impl<'c> Eraser<'c> {
    /// `default_binding` is a name of at most [`super::module::DEFAULT_BINDING_MAX`] bytes.
    pub(super) fn new(code: &'c str, default_binding: &'c str) -> Eraser<'c> {
        let named = BTreeMap::new();
        Eraser { code, edits: Edits::default(), problem: None, functions: 0, default_binding, named }
    }

    pub(super) fn finish(self) -> Result<Erased, Problem> {
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(Erased { edits: self.edits, named: self.named }),
        }
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>) {
        // The walk is in the order of the text, nearly; what stands first is reported.
        let offset = span.start as usize;
        if self.problem.as_ref().is_none_or(|problem| offset < problem.offset) {
            self.problem = Some(Problem { offset, message: message.into() });
        }
    }

    fn refuse_typescript(&mut self, span: Span, what: &str, instead: &str) {
        self.refuse(span, format!("{what}: only TypeScript that can be erased is supported; {instead}"));
    }

    fn erase(&mut self, start: u32, end: u32) {
        self.edits.blank(start as usize, end as usize);
    }

    /// Erases a whole statement or class member. The semicolon keeps its neighbours apart.
    fn erase_statement(&mut self, span: Span) {
        self.edits.replace(span.start as usize, span.end as usize, ";");
    }

    fn text(&self, start: u32, end: u32) -> &'c str {
        &self.code[start as usize..end as usize]
    }

    /// Erases one `?` or `!` between a name and its type.
    fn erase_mark(&mut self, mark: char, start: u32, end: u32) {
        if let Some(at) = self.text(start, end).find(mark) {
            let at = start as usize + at;
            self.edits.blank(at, at + 1);
        }
    }

    /// Erases `public` and the like before a member's name.
    fn erase_modifiers(&mut self, member: Span, key: Span) {
        let start = member.start as usize;
        for (from, to) in typescript_words(self.text(member.start, key.start)) {
            // Without the semicolon, `[x]` or `*x` would continue the member above.
            let prefix = if from == 0 { ";" } else { "" };
            self.edits.replace(start + from, start + to, prefix);
        }
    }

    fn function(&mut self, walk: impl FnOnce(&mut Self)) {
        self.functions += 1;
        walk(self);
        self.functions -= 1;
    }
}

/// Modules: what comes in, what goes out. The statements go; what they mean is read from the parser's record.
impl<'a> Visit<'a> for Eraser<'_> {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        for specifier in &it.specifiers {
            self.named.insert(specifier.exported.name().to_string(), specifier.local.name().to_string());
        }
        self.erase_statement(it.span);
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        self.erase(it.span.start, it.declaration.span().start);
        self.visit_declaration(&it.declaration);
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        let inner = it.declaration.span();
        let named = match &it.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                // A signature of an overload goes with its `export default`.
                if function.body.is_none() {
                    return self.erase_statement(it.span);
                }
                function.id.is_some()
            }
            ExportDefaultDeclarationKind::ClassDeclaration(class) => class.id.is_some(),
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => return self.erase_statement(it.span),
            _ => false,
        };
        if named {
            self.erase(it.span.start, inner.start);
        } else {
            // A statement of its own: an expression takes everything that may follow `export default`.
            let assignment = format!(";{}=", self.default_binding);
            self.edits.replace(it.span.start as usize, inner.start as usize, assignment);
            if !self.text(inner.end, it.span.end).contains(';') {
                self.edits.insert(it.span.end as usize, ";");
            }
        }
        self.visit_export_default_declaration_kind(&it.declaration);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        self.refuse(it.span, "import() is not available: a module is loaded in one go; import the library at the top");
    }

    fn visit_import_meta(&mut self, it: &ImportMeta) {
        self.refuse(it.span, "import.meta is not available: the module has no address");
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'a>) {
        if self.functions == 0 {
            self.refuse(it.span, "await is only possible inside of a function: a module is loaded in one go");
        }
        walk::walk_await_expression(self, it);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        if it.r#await && self.functions == 0 {
            self.refuse(it.span, "await is only possible inside of a function: a module is loaded in one go");
        }
        walk::walk_for_of_statement(self, it);
    }

    // Functions and variables.

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.body.is_none() || it.declare {
            return self.erase_statement(it.span);
        }
        self.function(|this| walk::walk_function(this, it, flags));
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.function(|this| walk::walk_arrow_function_expression(this, it));
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        // `this: T` goes, with the comma behind it.
        let after = &self.code[it.span.end as usize..];
        let comma = after.find(|c: char| !c.is_whitespace()).filter(|at| after[*at..].starts_with(','));
        self.edits.blank(it.span.start as usize, it.span.end as usize + comma.map_or(0, |at| at + 1));
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            return self.refuse_typescript(it.span, "parameter property", "declare the field and assign it");
        }
        if it.optional {
            let end = it.type_annotation.as_ref().map_or(it.span.end, |annotation| annotation.span.start);
            self.erase_mark('?', it.pattern.span().end, end);
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        match it.declare {
            true => self.erase_statement(it.span),
            false => walk::walk_variable_declaration(self, it),
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (true, Some(annotation)) = (it.definite, &it.type_annotation) {
            self.erase_mark('!', it.id.span().end, annotation.span.start);
        }
        walk::walk_variable_declarator(self, it);
    }

    // Classes.

    fn visit_class(&mut self, it: &Class<'a>) {
        if it.declare {
            return self.erase_statement(it.span);
        }
        if it.r#abstract
            && let Some(at) = self.text(it.span.start, it.body.span.start).find("abstract")
        {
            let at = it.span.start as usize + at;
            self.edits.blank(at, at + "abstract".len());
        }
        if let Some(first) = it.implements.first()
            && let Some(at) = self.text(it.span.start, first.span.start).rfind("implements")
        {
            self.edits.blank(it.span.start as usize + at, it.body.span.start as usize);
        }
        walk::walk_class(self, it);
    }

    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if it.value.body.is_none() || it.r#type == MethodDefinitionType::TSAbstractMethodDefinition {
            return self.erase_statement(it.span);
        }
        self.erase_modifiers(it.span, it.key.span());
        if it.optional {
            self.erase_mark('?', it.key.span().end, it.value.span.start);
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if it.declare || it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition {
            return self.erase_statement(it.span);
        }
        self.erase_modifiers(it.span, it.key.span());
        let type_start = it.type_annotation.as_ref().map(|annotation| annotation.span.start);
        let value_start = it.value.as_ref().map(|value| value.span().start);
        let end = type_start.or(value_start).unwrap_or(it.span.end);
        if it.optional {
            self.erase_mark('?', it.key.span().end, end);
        }
        if it.definite {
            self.erase_mark('!', it.key.span().end, end);
        }
        // A field's value and a static block's statements run like a function's.
        self.function(|this| walk::walk_property_definition(this, it));
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        self.refuse(it.span, "accessor fields are not supported by the engine; write a getter and a setter");
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.refuse(it.span, "decorators are not supported by the engine; call the function yourself");
    }

    fn visit_ts_index_signature(&mut self, it: &TSIndexSignature<'a>) {
        self.erase_statement(it.span);
    }

    // Types.

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.erase(it.span.start, it.span.end);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.erase(it.span.start, it.span.end);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.erase(it.span.start, it.span.end);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.erase(it.expression.span().end, it.span.end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.erase(it.expression.span().end, it.span.end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.erase(it.expression.span().end, it.span.end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_instantiation_expression(&mut self, it: &TSInstantiationExpression<'a>) {
        self.erase(it.expression.span().end, it.span.end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.refuse_typescript(it.span, "type assertion in angle brackets", "write `value as Type`");
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_ts_external_module_declaration(&mut self, it: &TSExternalModuleDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_ts_global_declaration(&mut self, it: &TSGlobalDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_ts_namespace_export_declaration(&mut self, it: &TSNamespaceExportDeclaration<'a>) {
        self.erase_statement(it.span);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        match it.declare {
            true => self.erase_statement(it.span),
            false => self.refuse_typescript(it.span, "enum", "use a const object"),
        }
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        match it.declare {
            true => self.erase_statement(it.span),
            false => self.refuse_typescript(it.span, "namespace", "use a const object"),
        }
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.refuse_typescript(it.span, "import =", "use const");
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.refuse_typescript(it.span, "export =", "export the functions by name");
    }
}
