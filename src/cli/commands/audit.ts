import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { openClient, type Client } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { csvLine } from '../csv.ts'
import { formatOption, isJson, jsonText, oneOf, runSubcommand } from '../options.ts'
import { harmless } from '../table.ts'

interface Verification {
  rows: number
  head: { id: number; hash: string }
  anchor?: { id: number; hash: string }
  broken?: { id: number; what: string; message: string }
}

interface Page {
  items: Record<(typeof columns)[number], unknown>[]
  next?: string
}

const columns = ['id', 'at', 'principal', 'address', 'action', 'subject', 'result', 'detail', 'previous', 'hash'] as const
const pageSize = 1000

export const audit: Command = {
  usage:
    'verify [--head ID:HASH] [--format table|json] | export [--since INSTANT] [--until INSTANT] [--principal WHO] [--action WHAT] [--repository NAME] [--format jsonl|csv]',
  summary: 'Show that the audit log is whole, or write it out',
  details: [
    'verify ends with 0 where every row holds, with 1 where one does not, and names the first that does not.',
    'Keep the head that it prints elsewhere, and give it with --head later: then also a log that was made anew as a whole is found.',
    'export writes the oldest row first. INSTANT: 2027-01-31T12:00:00Z.',
  ],
  run: runSubcommand('audit', { verify, export: exportRows }),
}

async function verify(args: string[], io: Io) {
  const { values } = parseArgs({ args, options: { ...formatOption, head: { type: 'string' } }, strict: true })
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'audit verify')
  const found = await client.get<Verification>('/audit-log/verification', { head: values.head })
  io.out(asJson ? jsonText(found) : wordsOf(found))
  return found.broken === undefined ? exit.fine : exit.failed
}

function wordsOf({ rows, head, anchor, broken }: Verification): string {
  if (broken !== undefined) return `broken at row ${broken.id} (${broken.what}): ${harmless(broken.message)}\n${rows} rows before it hold\n`
  const from = anchor === undefined ? '' : `, from row ${anchor.id + 1} on (older ones were cut away by age)`
  return `${rows} rows hold${from}\nhead ${head.id}:${head.hash}\n`
}

async function exportRows(args: string[], io: Io) {
  const options = {
    format: { type: 'string', default: 'jsonl' },
    since: { type: 'string' },
    until: { type: 'string' },
    principal: { type: 'string' },
    action: { type: 'string' },
    repository: { type: 'string' },
  } as const
  const { format: given, ...filters } = parseArgs({ args, options, strict: true }).values
  const format = oneOf(['jsonl', 'csv'], given, '--format')
  await using client = await openClient(io, 'audit export')
  const line = format === 'jsonl' ? (row: Page['items'][number]) => `${JSON.stringify(row)}\n` : csvRow
  let count = 0
  for await (const rows of pages(client, filters)) {
    if (count === 0 && format === 'csv') io.out(csvLine([...columns]))
    io.out(rows.map(line).join(''))
    count += rows.length
  }
  if (count === 0 && format === 'csv') io.out(csvLine([...columns]))
  io.err(`${count} rows\n`)
  return exit.fine
}

/** Up to what stood when it began: the log grows while it is read, by this reading too where that is refused. */
async function* pages(client: Client, filters: Record<string, string | undefined>): AsyncGenerator<Page['items']> {
  const until = filters['until'] ?? new Date().toISOString()
  let after: string | undefined
  do {
    const page: Page = await client.get('/audit-log', { ...filters, until, order: 'oldest', limit: pageSize, after })
    if (!Array.isArray(page.items)) throw new LazaretError('UNAVAILABLE', 'the server did not answer with rows')
    if (page.items.length > 0) yield page.items
    after = page.next
  } while (after !== undefined)
}

function csvRow(row: Page['items'][number]): string {
  return csvLine(columns.map((column) => (column === 'detail' ? JSON.stringify(row.detail) : String(row[column]))))
}
