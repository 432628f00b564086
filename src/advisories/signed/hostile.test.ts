// Exports that are signed as they should be, and hold what they should not: whoever has a key that is trusted may have lost it.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { LazaretError, type ErrorCode } from '../../kit/errors.ts'
import { createDatabase } from '../schema.ts'
import { temporaryFolder } from '../test-support.ts'
import { headBytes, headOf, mostEnvelopeBytes, signedHead, type ManifestFacts } from './form.ts'
import { trustedKeyOf } from './keys.ts'
import { takeSigned } from './take.ts'

const pair = generateKeyPairSync('ed25519')
const trusted = [trustedKeyOf(pair.publicKey)]
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function factsOf(database: Buffer, packed: Buffer): ManifestFacts {
  return {
    revision: '000007-20261124',
    date: '2026-11-24T00:00:00Z',
    createdAt: '2026-11-24T10:00:00.000Z',
    schema: 1,
    records: 0,
    withdrawn: 0,
    exploited: 0,
    sources: [],
    database: { sizeBytes: database.length, sha256: sha256(database) },
    packed: { sizeBytes: packed.length, sha256: sha256(packed) },
  }
}

/** In: the bytes of a database, and what else the manifest says. Out: a whole, signed export. */
function exportOf(database: Buffer, more: (facts: ManifestFacts) => object = () => ({}), packed = zstdCompressSync(database)): Buffer {
  const facts = factsOf(database, packed)
  return Buffer.concat([signedHead({ ...facts, ...more(facts) }, pair), packed])
}

function databaseOf(path: string, sql: string): Buffer {
  const database = createDatabase(path)
  database.exec(sql)
  database.close()
  return readFileSync(path)
}

const zeros = Buffer.alloc(64 * 1024 * 1024)

test('nothing that an export can hold is put in force but a database of ours', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const good = databaseOf(join(folder, 'good.sqlite'), 'ANALYZE')
  const other = new DatabaseSync(join(folder, 'other.sqlite'))
  other.exec('CREATE TABLE packages (id INTEGER)')
  other.close()
  const made = (name: string, sql: string): Buffer => databaseOf(join(folder, `${name}.sqlite`), sql)
  const torn = Buffer.concat([good.subarray(0, 8192), Buffer.alloc(good.length - 8192, 0xaa)])
  const bad: [string, Buffer, ErrorCode, RegExp][] = [
    ['no database', exportOf(Buffer.from('<html>hello</html>')), 'UNREADABLE', /not one of ours/],
    ['another database', exportOf(readFileSync(join(folder, 'other.sqlite'))), 'UNREADABLE', /not one of ours: not an advisory database/],
    ['torn pages', exportOf(torn), 'UNREADABLE', /not one of ours/],
    ['a frame that unfolds to more than it says', exportOf(good, () => ({}), zstdCompressSync(zeros)), 'UNREADABLE', /unfolds to more/],
    [
      'a frame that unfolds to something else',
      exportOf(good, () => ({}), zstdCompressSync(Buffer.alloc(good.length))),
      'UNREADABLE',
      /not what was signed/,
    ],
    ['no zstd', exportOf(good, () => ({}), Buffer.from('plain text here')), 'UNREADABLE', /can't be unpacked/],
    ['half a frame', exportOf(good, () => ({}), zstdCompressSync(good).subarray(0, 200)), 'UNREADABLE', /unpacked|not what was signed/],
    [
      'a size beyond any',
      exportOf(good, ({ database }) => ({ database: { ...database, sizeBytes: 2 ** 50 } })),
      'LIMIT_EXCEEDED',
      /are taken/,
    ],
    ['another schema', exportOf(good, () => ({ schema: 9 })), 'UNREADABLE', /schema 9/],
    ['a form of later', exportOf(good, () => ({ lazaretAdvisories: 2 })), 'UNREADABLE', /form 2/],
    ['a date that is none', exportOf(good, () => ({ date: 'soon' })), 'UNREADABLE', /manifest of the export is damaged: date/],
    ['a revision that is a path', exportOf(good, () => ({ revision: '../../etc/passwd' })), 'UNREADABLE', /damaged: revision/],
    [
      'sources without end',
      exportOf(good, () => ({ sources: Array.from({ length: 10_001 }, () => ({})) })),
      'UNREADABLE',
      /damaged: sources/,
    ],
    ['an envelope of nothing', Buffer.concat([headOf({}), good]), 'UNREADABLE', /envelope/],
    ['an envelope that is too long', lengthOf(mostEnvelopeBytes + 1), 'LIMIT_EXCEEDED', /envelope has/],
    ['a trigger', exportOf(made('a', 'CREATE TRIGGER t AFTER UPDATE ON packages BEGIN DELETE FROM records; END')), 'UNREADABLE', /trigger/],
    ['a view', exportOf(made('b', 'CREATE VIEW v AS SELECT 1')), 'UNREADABLE', /the view "v"/],
    ['a virtual table', exportOf(made('c', 'CREATE VIRTUAL TABLE f USING fts5(x)')), 'UNREADABLE', /the table "f"/],
    ['a computed column', exportOf(made('d', 'CREATE TABLE g (a INTEGER, b AS (a * 2))')), 'UNREADABLE', /the table "g"/],
    ['an index that computes', exportOf(made('h', 'CREATE INDEX i ON records (lower(name))')), 'UNREADABLE', /the index "i"/],
    [
      'a table of ours with other columns',
      exportOf(made('e', 'DROP TABLE claims; CREATE TABLE claims (alias TEXT)')),
      'UNREADABLE',
      /claims is not/,
    ],
  ]
  for (const [name, bytes, code, message] of bad) {
    const path = join(folder, 'bad.zst')
    writeFileSync(path, bytes)
    await assert.rejects(takeSigned(path, data, { trusted, bundled: false }), (error: unknown) => {
      assert.ok(error instanceof LazaretError, `${name}: ${String(error)}`)
      assert.equal(error.code, code, `${name}: ${error.message}`)
      assert.match(error.message, message, name)
      return true
    })
    assert.equal(existsSync(join(data, 'advisories/current')), false, name)
  }
  const left = existsSync(join(data, 'advisories')) ? readdirSync(join(data, 'advisories')) : []
  assert.deepEqual(left, ['import.lock'], 'nothing is left behind')
  const path = join(folder, 'good.zst')
  writeFileSync(path, exportOf(good))
  assert.equal((await takeSigned(path, data, { trusted, bundled: false })).changed, true, 'the same without a fault is taken')
})

function lengthOf(length: number): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(0x18_4d_2a_50, 0)
  head.writeUInt32LE(length, 4)
  return head
}
