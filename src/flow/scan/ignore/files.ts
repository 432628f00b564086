import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { LazaretError, messageOf } from '../../../kit/errors.ts'
import type { IgnoreRule } from './rule.ts'

type Read = (text: string, file: string) => IgnoreRule[]

/** What is looked for in the folder of the call, by its name; read by what is loaded then. */
const forms: Record<string, () => Promise<Read>> = {
  '.lazaretignore.yaml': async () => (await import('./lazaret.ts')).lazaretRules,
  '.trivyignore': async () => (await import('./trivy.ts')).trivyRules,
  '.trivyignore.yaml': async () => (await import('./trivy.ts')).trivyYamlRules,
  '.grype.yaml': async () => (await import('./grype.ts')).grypeRules,
  'osv-scanner.toml': async () => (await import('./osv.ts')).osvRules,
}

const mostBytes = 1024 * 1024
const mostRules = 10_000

/**
 * In: the folder of the call, and files that were named instead of those that lie there. Out: the rules of all.
 * Throws SETTING_INVALID where one is not what its name says, NOT_FOUND where a named one is not there.
 */
export async function ignoreRules(folder: string, named: readonly string[]): Promise<IgnoreRule[]> {
  const rules: IgnoreRule[] = []
  for (const file of named.length > 0 ? named : Object.keys(forms)) {
    const read = formOf(file)
    const text = await textOf(resolve(folder, file), file, named.length > 0)
    if (text !== undefined) rules.push(...(await read())(text, file))
    if (rules.length > mostRules) throw new LazaretError('LIMIT_EXCEEDED', `the ignore files hold more than ${mostRules} rules`)
  }
  return rules
}

/** By its name, with anything before it: `team.trivyignore`, `ci/.grype.yaml`. */
function formOf(file: string): () => Promise<Read> {
  const name = basename(file)
  const [, read] = Object.entries(forms).find(([ending]) => name.endsWith(ending)) ?? []
  if (read !== undefined) return read
  throw new LazaretError('USAGE', `--ignore-file ends in one of ${Object.keys(forms).join(', ')}, not ${name.slice(0, 60)}`)
}

async function textOf(path: string, file: string, must: boolean): Promise<string | undefined> {
  try {
    const found = await stat(path)
    if (!found.isFile()) throw new LazaretError('SETTING_INVALID', `${file} is no file`)
    if (found.size > mostBytes) throw new LazaretError('SETTING_INVALID', `${file} has more than ${mostBytes} bytes`)
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    if (must) throw new LazaretError('NOT_FOUND', `there is no ${file}: ${messageOf(error)}`, { cause: error })
    return undefined
  }
}
