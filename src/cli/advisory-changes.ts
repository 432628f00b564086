import { parseArgs } from 'node:util'
import type { ChangeRow, MoveRow } from '../flow/queries/changes.ts'
import { LazaretError } from '../kit/errors.ts'
import { minute } from './accounts.ts'
import { openClient } from './client.ts'
import { exit, type ExitCode, type Io } from './command.ts'
import { formatOption, isJson, jsonText } from './options.ts'
import { table } from './table.ts'

interface Page<T> {
  items: T[]
  next?: string
}

const options = {
  ...formatOption,
  limit: { type: 'string', default: '20' },
  after: { type: 'string' },
  records: { type: 'string' },
  images: { type: 'string' },
  image: { type: 'string' },
} as const

/** What came with the revisions of the advisories; or of one change the records or the images; or how one image moved. */
export async function changes(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'changes takes no names: --records ID, --images ID or --image NAME')
  const asked = [values.records, values.images, values.image].filter((value) => value !== undefined)
  if (asked.length > 1) throw new LazaretError('USAGE', 'one of --records, --images and --image at a time')
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'advisories changes')
  const page = { limit: values.limit, after: values.after }
  const show = <T>(found: Page<T>, heads: string[], row: (item: T) => string[]): ExitCode => {
    io.out(asJson ? jsonText(found) : table(heads, found.items.map(row), io.columns))
    if (found.next !== undefined && !asJson) io.err(`there are more: --after ${found.next}\n`)
    return exit.fine
  }
  if (values.records !== undefined) {
    const found = await client.get<Page<{ id: string; what: string }>>('/advisories/changes/records', { change: values.records, ...page })
    return show(found, ['RECORD', 'WHAT'], ({ id, what }) => [id, what])
  }
  if (values.images !== undefined) {
    const found = await client.get<Page<MoveRow>>('/advisories/changes/images', { change: values.images, ...page })
    return show(found, ['IMAGE', 'FROM', 'TO', 'WHEN', 'WHY'], moveRow)
  }
  if (values.image !== undefined) {
    const found = await client.get<Page<MoveRow>>('/images/history', { image: values.image, ...page })
    return show(found, ['IMAGE', 'FROM', 'TO', 'WHEN', 'WHY'], moveRow)
  }
  const found = await client.get<Page<ChangeRow>>('/advisories/changes', page)
  return show(found, ['ID', 'REVISION', 'NOTICED', 'TOOK', 'CAME', 'IMAGES', 'DENIED', 'FREED'], changeRow)
}

/** Eighty columns hold it; JSON says what of the records is new, changed or withdrawn. */
function changeRow({ id, to, noticedAt, tookMs, came, images, verdicts }: ChangeRow): string[] {
  const took = tookMs === undefined ? `${images.waiting} wait` : `${tookMs} ms`
  const records = came.all === true ? 'all' : String((came.added ?? 0) + (came.changed ?? 0) + (came.withdrawn ?? 0))
  return [String(id), to, minute(noticedAt), took, records, String(images.looked), String(verdicts.toDeny), String(verdicts.toAllow)]
}

function moveRow({ repository, digest, from, to, at, reason = '' }: MoveRow): string[] {
  return [`${repository}@${digest.slice(0, 19)}`, from, to, minute(at), reason]
}
