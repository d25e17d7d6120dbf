/**
 * The oldest browsers that have what the page uses: `node tools/oldest_browsers.js`.
 *
 * TypeScript tells of each name in `static/js` which part of the language or of the DOM it is, and MDN's data since
 * when browsers have that. With `--check` it fails unless the README and the page name these versions.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const ts = require('typescript');
const { api, javascript } = require('@mdn/browser-compat-data');

const BROWSERS = { chrome: 'Chrome and Edge', firefox: 'Firefox', safari: 'Safari' };
const NEEDED = 5; // newest names shown for each browser

const { classes, operators, regular_expressions: expressions, statements } = javascript;
/** @type {[string, {__compat: {support: object}}, (node: ts.Node) => boolean][]} */
const SYNTAX = [
  ['??=', operators.nullish_coalescing_assignment, ({ kind }) => kind === ts.SyntaxKind.QuestionQuestionEqualsToken],
  ['?.', operators.optional_chaining, ({ kind }) => kind === ts.SyntaxKind.QuestionDotToken],
  ['#name', classes.private_class_fields, (node) => ts.isPrivateIdentifier(node)],
  ['static {}', classes.static.initialization_blocks, (node) => ts.isClassStaticBlockDeclaration(node)],
  ['(?<=', expressions.lookbehind_assertion, (node) => ts.isRegularExpressionLiteral(node) && /\(\?<[=!]/.test(node.text)],
  ['(?<name>', expressions.named_capturing_group, (node) => ts.isRegularExpressionLiteral(node) && /\(\?<\w/.test(node.text)],
  ['import()', operators.import, (node) => node.kind === ts.SyntaxKind.ImportKeyword && ts.isCallExpression(node.parent)],
  ['for await', statements.for_await_of, (node) => ts.isForOfStatement(node) && Boolean(node.awaitModifier)],
];

const config = ts.getParsedCommandLineOfConfigFile('jsconfig.json', {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail });
const program = ts.createProgram(config.fileNames, config.options);
const checker = program.getTypeChecker();

/** @type {Map<string, {needs: object, where: string}>} */
const used = new Map();
for (const file of program.getSourceFiles()) {
  if (!file.isDeclarationFile && !file.fileName.includes('node_modules')) visit(file, file);
}

const oldest = Object.fromEntries(Object.keys(BROWSERS).map((browser) => [browser, newest(browser)]));
const sentence = Object.entries(BROWSERS).map(([browser, name]) => `${name} ${oldest[browser][0].version}`).join(', ');
if (process.argv.includes('--check')) {
  for (const file of ['README.md', 'templates/index.html']) {
    const told = readFileSync(file, 'utf8').replace(/\s+/g, ' ');
    if (!told.includes(sentence)) fail(`${file} does not say that the page needs ${sentence}.`);
  }
} else {
  for (const [browser, name] of Object.entries(BROWSERS)) {
    console.log(name);
    for (const { version, key, where } of oldest[browser].slice(0, NEEDED)) console.log(`  ${version}\t${key}\t${where}`);
  }
}
console.log(`The page needs ${sentence}.`);

/** @param {unknown} node @param {unknown} file */
function visit(node, file) {
  const place = () => `${path.relative('.', file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
  for (const [key, { __compat }, isIt] of SYNTAX) if (isIt(node)) used.set(key, { key, support: __compat.support, where: place() });
  if (ts.isIdentifier(node) && !isAsked(node)) {
    const symbol = checker.getSymbolAtLocation(node);
    for (const declaration of symbol?.declarations ?? []) {
      if (!isOfThePlatform(declaration)) continue;
      const found = compatOf(node, declaration);
      if (found) used.set(found.key, { ...found, where: place() });
      break;
    }
  }
  ts.forEachChild(node, (child) => visit(child, file));
}

/** Whether a name stands where its absence does no harm: before `?.`, or in `typeof`. */
function isAsked(node) {
  const { parent } = node;
  const whole = ts.isPropertyAccessExpression(parent) && parent.name === node ? parent : node;
  return Boolean(whole.parent.questionDotToken) || ts.isTypeOfExpression(whole.parent) || isInType(node);
}

function isInType(node) {
  for (let at = node; at; at = at.parent) if (ts.isTypeNode(at) || ts.isJSDoc(at)) return true;
  return false;
}

function isOfThePlatform(declaration) {
  return /typescript\/lib\/lib\..*\.d\.ts$/.test(declaration.getSourceFile().fileName);
}

/** Find since when browsers have what a name stands for. */
function compatOf(node, declaration) {
  const owner = declaration.parent;
  const name = node.text;
  if (ts.isInterfaceDeclaration(owner) || ts.isTypeLiteralNode(owner)) {
    for (const one of ownersOf(node, owner)) {
      const isOf = one.replace(/Constructor$/, '').replace(/^Readonly(?=Array|Map|Set)/, '');
      for (const table of [api, javascript.builtins, javascript.builtins.Intl]) {
        for (const member of [name, `${name}_static`, `${name}_event`]) {
          const entry = table[isOf]?.[member]?.__compat;
          if (entry) return { key: `${isOf}.${name}`, support: entry.support };
        }
      }
    }
    return undefined;
  }
  const entry = (api[name] ?? javascript.builtins[name])?.__compat;
  return entry && { key: name, support: entry.support };
}

/** The names under which MDN may tell of a member: its interface's, and those of the types that take it in. */
function ownersOf(node, owner) {
  const names = [];
  if (ts.isInterfaceDeclaration(owner)) names.push(owner.name.text);
  else if (ts.isVariableDeclaration(owner.parent)) names.push(owner.parent.name.text);
  if (ts.isPropertyAccessExpression(node.parent)) {
    const types = new Set([checker.getTypeAtLocation(node.parent.expression)]);
    for (const type of types) {
      if (type.symbol) names.push(type.symbol.name);
      const parts = type.isUnionOrIntersection() ? type.types : type.isClassOrInterface() ? checker.getBaseTypes(type) : [];
      for (const part of parts) types.add(part);
    }
  }
  return names;
}

/** What the page uses, what a browser had last first. */
function newest(browser) {
  const all = [...used.values()].map(({ key, support, where }) => ({ key, where, version: sinceOf(support[browser]) }));
  return all.sort((one, other) => compare(other.version, one.version));
}

/** The version in which a browser had something first, under its own name. */
function sinceOf(support) {
  const plain = [support].flat().filter((one) => one.version_added && !one.flags && !one.prefix && !one.alternative_name);
  // What a browser did in part, then as a whole, counts from the part on.
  const versions = plain.filter((one) => !one.version_removed || one.partial_implementation).map((one) => String(one.version_added).replace('≤', ''));
  return versions.sort(compare)[0] ?? 'none';
}

function compare(one, other) {
  const [a, b] = [one, other].map((version) => (version === 'none' ? [Infinity] : version.split('.').map(Number)));
  return a[0] - b[0] || (a[1] ?? 0) - (b[1] ?? 0);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
