import type { Content } from '../../content/content.ts'
import { PageUse } from './pages.ts'
import { readRecord } from './sqlite-record.ts'
import { pagesOf } from './sqlite-pages.ts'
import type { Pages } from './sqlite-pages.ts'

const leafTable = 13
const innerTable = 5
/** SQLite itself goes no deeper (BTCURSOR_MAX_DEPTH). */
const maxDepth = 20

export function isSqlite(head: Buffer): boolean {
  return head.length >= 512 && head.toString('latin1', 0, 16) === 'SQLite format 3\0'
}

/**
 * Values of `Packages (hnum INTEGER PRIMARY KEY, blob BLOB)`, read page by page: no statement of the file is run.
 * In: the file, and its write-ahead log where there is one. Out: the bytes of each header.
 * Throws RangeError with the page where something is wrong.
 * sqlite.org/fileformat2.html, "B-tree Pages", "The SQLite Schema".
 */
export function* sqliteValues(content: Content, log?: Content): Generator<Buffer> {
  const pages = pagesOf(content, log)
  const used = new PageUse(pages.count)
  const root = rootOf('Packages', pages, used)
  for (const row of rows(pages, root, used)) {
    const blob = row[1]
    if (!Buffer.isBuffer(blob)) throw new RangeError(`table Packages at page ${root} has a row without a header`)
    yield blob
  }
}

/** Schema: type, name, tbl_name, rootpage, sql. */
function rootOf(table: string, pages: Pages, used: PageUse): number {
  for (const [type, name, , root] of rows(pages, 1, used)) {
    if (type === 'table' && name === table && typeof root === 'number') return root
  }
  throw new RangeError(`it has no table ${table}`)
}

type Row = ReturnType<typeof readRecord>

/** In order of the rows; each page is read once, however the pages point at each other. */
function* rows(pages: Pages, page: number, used: PageUse, depth = 0): Generator<Row> {
  if (depth > maxDepth) throw new RangeError(`page ${page} is more than ${maxDepth} levels deep`)
  used.take(page)
  const bytes = pages.page(page)
  const start = page === 1 ? 100 : 0
  const type = bytes[start]
  if (type !== leafTable && type !== innerTable) throw new RangeError(`page ${page} is of type ${type}, not of a table`)
  const headBytes = type === leafTable ? 8 : 12
  const cells = bytes.readUInt16BE(start + 3)
  if (start + headBytes + 2 * cells > pages.usableBytes) throw new RangeError(`page ${page} has ${cells} cells, more than fit`)
  for (let cell = 0; cell < cells; cell++) {
    const at = bytes.readUInt16BE(start + headBytes + 2 * cell)
    if (at < start + headBytes || at + 4 > pages.usableBytes) throw new RangeError(`page ${page} has a cell outside of itself`)
    if (type === leafTable) yield readRecord(pages, { number: page, bytes }, at, used)
    else yield* rows(pages, bytes.readUInt32BE(at), used, depth + 1)
  }
  if (type === innerTable) yield* rows(pages, bytes.readUInt32BE(start + 8), used, depth + 1)
}
