import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { LazaretError } from '../../../kit/errors.ts'

/** In: the text of an ignore file. Out: what it says. Throws SETTING_INVALID with the line; a key that stands twice is an error. */
export function parseYaml(text: string, file: string): unknown {
  // Loaded only where there is such a file.
  const { parseDocument } = createRequire(import.meta.url)('yaml') as typeof Yaml
  const document = parseDocument(text, { uniqueKeys: true, logLevel: 'silent' })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined)
    throw new LazaretError('SETTING_INVALID', `${file}: ${problem.message.split('\n', 1)[0]?.slice(0, 300) ?? ''}`, { cause: problem })
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown
  } catch (cause) {
    throw new LazaretError('SETTING_INVALID', `${file}: its aliases stand for too much`, { cause })
  }
}
