import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { openClient } from '../client.ts'
import { exit, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne } from '../options.ts'
import { table } from '../table.ts'

interface Row {
  ecosystem: string
  name: string
  version: string
  comparable: boolean
  digest: string
  repositories: string[]
}

/** Who holds `log4j-core@<2.17`. */
export async function search(args: string[], io: Io) {
  const options = {
    ...formatOption,
    ecosystem: { type: 'string' },
    limit: { type: 'string', default: '100' },
    after: { type: 'string' },
  } as const
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  const { name, version } = splitWord(onlyOne(positionals, 'PACKAGE[@RANGE]'))
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'advisories search')
  const query = { name, version, ecosystem: values.ecosystem, limit: values.limit, after: values.after }
  const page = await client.get<{ items: Row[]; next?: string }>('/packages', query)
  io.out(asJson ? jsonText(page) : table(['PACKAGE', 'VERSION', 'ECOSYSTEM', 'IMAGES', ''], page.items.flatMap(rowsOf), io.columns))
  if (page.next !== undefined && !asJson) io.err(`there are more: --after ${page.next}\n`)
  return exit.fine
}

/** `@scope/name@<2` has its range after the last `@`; a name that begins with one has none by that alone. */
function splitWord(word: string): { name: string; version?: string } {
  const at = word.lastIndexOf('@')
  if (at <= 0) return { name: word }
  const version = word.slice(at + 1).trim()
  if (version === '') throw new LazaretError('USAGE', `${JSON.stringify(word.slice(0, 100))} ends with @: a range comes after it, or no @`)
  return { name: word.slice(0, at).trim(), version }
}

function rowsOf({ name, version, ecosystem, digest, repositories, comparable }: Row): string[][] {
  const note = comparable ? '' : 'may be within: it can’t be compared'
  return repositories.map((repository) => [name, version, ecosystem, `${repository}@${digest}`, note])
}
