import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A step that is stored, by the name that the source gives it. */
export interface StoredStep {
  readonly name: string;
  /** `file:line`. */
  readonly at: string;
}

/** A first argument from which no name can be read. */
class NotLiteral extends Error {}

const ROOTS = ['libs', 'apps'];
const isSource = (file: string): boolean =>
  file.endsWith('.ts') && !/\.(?:spec|spec-suite|check|d)\.ts$/.test(file) && file.includes('/src/');

/**
 * Every step that is stored, read from the source text: the first argument of `transactions.run(…)`, and of `save(…)` on a journal
 * of the user's side. It is a literal, or picked from a constant of the same file that holds nothing but literals.
 */
export function storedSteps(): StoredStep[] {
  const files = ROOTS.flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => join(root, file)));
  return files
    .map((file) => file.replaceAll('\\', '/'))
    .filter(isSource)
    .sort()
    .flatMap(stepsIn);
}

function stepsIn(file: string): StoredStep[] {
  const text = readFileSync(file, 'utf8');
  if (!/\.(?:run|save)\b/.test(text)) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const steps: StoredStep[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isStoring(node, file)) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      const at = `${file}:${line}`;
      for (const name of namesIn(node.arguments[0], source, at)) steps.push({ name, at });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return steps;
}

function isStoring({ expression }: ts.CallExpression, file: string): boolean {
  if (!ts.isPropertyAccessExpression(expression)) return false;
  const on = expression.expression.getText();
  if (expression.name.text === 'run') return /(?:^|\.)transactions$/.test(on);
  return expression.name.text === 'save' && /^(?:libs\/client|apps\/cli)\//.test(file);
}

function namesIn(argument: ts.Expression | undefined, source: ts.SourceFile, at: string): string[] {
  if (argument && ts.isStringLiteral(argument)) return [argument.text];
  if (argument && ts.isElementAccessExpression(argument)) {
    const names = literalsOf(argument.expression.getText(), source);
    if (names) return names;
  }
  throw new NotLiteral(`${at}: the name of the step is not a literal: ${argument?.getText() ?? 'nothing'}`);
}

/** The values of a constant of the file, where all are literals. */
function literalsOf(name: string, source: ts.SourceFile): string[] | undefined {
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      if (declaration.name.getText() !== name || !declaration.initializer) continue;
      const object = bare(declaration.initializer);
      if (!ts.isObjectLiteralExpression(object)) return undefined;
      const values = object.properties.map((property) =>
        ts.isPropertyAssignment(property) && ts.isStringLiteral(property.initializer) ? property.initializer.text : undefined,
      );
      return values.every((value) => value !== undefined) ? values : undefined;
    }
  }
  return undefined;
}
const bare = (expression: ts.Expression): ts.Expression =>
  ts.isAsExpression(expression) || ts.isSatisfiesExpression(expression) ? bare(expression.expression) : expression;
