// The project's own SAM template, as far as `waygate deploy` has to know it: where its code comes from, whether it streams.

import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { CommandError } from './errors.ts';

/** A function of a template. */
export interface TemplateFunction {
  /** Its logical id. */
  id: string;
  /** Absolute path of its code, where that is a path on this machine. */
  code: string | undefined;
  /** Whether its function URL or API passes a response on while it is made. */
  streams: boolean;
}

type Members = Record<string, unknown>;

const FUNCTIONS = ['AWS::Serverless::Function', 'AWS::Lambda::Function'];

/**
 * Reads the functions of a SAM or CloudFormation template, in YAML or JSON.
 *
 * @param file its name, for messages
 * @param folder absolute path of its folder, which its paths start from
 * @throws {CommandError} when it cannot be parsed
 */
export function templateFunctions(file: string, text: string, folder: string): TemplateFunction[] {
  // CloudFormation has tags of its own, such as !Ref, which do not matter here.
  const document = parseDocument(text, { logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) {
    const at = error.linePos?.[0];
    const where = at === undefined ? '' : `line ${at.line}, column ${at.col}: `;
    const [first = ''] = error.message.split('\n');
    throw new CommandError(`${file} is not valid YAML: ${where}${first.replace(/ at line \d+, column \d+:?$/, '')}.`);
  }
  const template = members(document.toJS());
  const shared = members(members(template.Globals).Function);
  return Object.entries(members(template.Resources)).flatMap(([id, value]) => {
    const { Type, Properties } = members(value);
    if (!FUNCTIONS.includes(Type as string)) return [];
    const own = members(Properties);
    const code = own.CodeUri ?? own.Code ?? shared.CodeUri;
    const url = { ...members(shared.FunctionUrlConfig), ...members(own.FunctionUrlConfig) };
    const events = Object.values(members(own.Events)).map((event) => members(members(event).Properties));
    const streams =
      url.InvokeMode === 'RESPONSE_STREAM' || events.some((event) => event.ResponseTransferMode === 'STREAM');
    const isPath = typeof code === 'string' && !/^[a-z][a-z0-9]*:\/\//i.test(code);
    return [{ id, code: isPath ? resolve(folder, code) : undefined, streams }];
  });
}

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
