// Set-up that the tests of this folder share.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { crc32, deflateRawSync, zstdDecompressSync } from 'node:zlib'
import { type OpenAdvisories, openAdvisories } from './database.ts'
import type { Fact, Form, ReadContext } from './form.ts'
import { importAdvisories, type ImportOptions, type ImportReport } from './import.ts'
import { Tally } from './tally.ts'
import { sharedData } from '../../test/support/shared.ts'

export const now = new Date('2026-11-24T12:00:00Z')

/** A folder that is gone after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-advisories-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes a file of one value a line. Out: its path. */
export function writeLines(folder: string, name: string, values: readonly unknown[]): string {
  const path = join(folder, name)
  writeFileSync(path, values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join(''))
  return path
}

/** A small OSV record: every version below `fixed` has the flaw. */
export function osvRecord(
  id: string,
  ecosystem: string,
  name: string,
  fixed: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const affected = [{ package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }] }]
  return { schema_version: '1.7.0', id, modified: '2026-01-01T00:00:00Z', affected, ...more }
}

/** Runs a form over values. Out: its facts, and what it dropped. */
export async function readForm(
  form: Pick<Form, 'read'>,
  values: readonly unknown[],
  asOf = '2026-10-01T00:00:00Z',
): Promise<{ facts: Fact[]; dropped: Record<string, number> }> {
  const tally = new Tally()
  const context: ReadContext = { now, asOf, drop: tally.drop }
  const facts: Fact[] = []
  for await (const fact of form.read(each(values), context)) facts.push(fact)
  return { facts, dropped: Object.fromEntries(tally.list().map(({ reason, count }) => [reason, count])) }
}

export async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

/** Public data beside the checkout, for suites that are left out by name where it is missing. */
export const sharedAdvisories = sharedData('advisories')
export const withoutShared = existsSync(sharedAdvisories) ? false : `left out: ${sharedAdvisories} is not there`

export function sharedLines(file: string): unknown[] {
  return zstdDecompressSync(readFileSync(join(sharedAdvisories, file)))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

export interface ZipFileEntry {
  name: string
  bytes: Buffer
  /** The size that the directory claims, where it lies. */
  claimedSize?: number
}

/** A zip as the format has it: local headers, directory, end (PKWARE APPNOTE 4.3). */
export function zipOf(entries: readonly ZipFileEntry[]): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, bytes, claimedSize } of entries) {
    const packed = deflateRawSync(bytes)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claimedSize ?? bytes.length, 18)
    common.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, central, end])
}

export const importOptions: ImportOptions = { now, bundled: false, asOf: () => '2026-10-01T00:00:00Z' }

/** Imports records that are written to a file of JSON lines first. */
export function bring(folder: string, records: readonly unknown[], more: ImportOptions = {}): Promise<ImportReport> {
  return importAdvisories([writeLines(folder, 'records.jsonl', records)], folder, { ...importOptions, ...more })
}

export function ask<T>(folder: string, question: (advisories: OpenAdvisories) => T): T {
  const advisories = openAdvisories(folder)
  try {
    return question(advisories)
  } finally {
    advisories.close()
  }
}

/** Ids and first fixed versions of what is known about a package. */
export const fixes = (folder: string, ecosystem: string, name: string): unknown =>
  ask(folder, (advisories) =>
    advisories
      .about(ecosystem, name)
      .map(({ id, affected }) => [id, affected[0]?.ranges.map(({ events }) => Object.values(events[1] ?? {})[0])]),
  )
