import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { LayerFacts } from '../../model/layer.ts'
import { squash } from '../squash.ts'
import { factsOf, packagesOf } from '../testing/extract.ts'
import { hardLink, layerOf, symlink } from '../testing/tars.ts'
import type { Member } from '../testing/tars.ts'
import { rpm } from './rpm.ts'
import { comparable, fixture, listed } from './rpm/databases.testing.ts'
import { sharedData } from '../../../test/support/shared.ts'

const sqlitePath = 'var/lib/rpm/rpmdb.sqlite'
const alma: Member = ['etc/os-release', 'ID="almalinux"\nVERSION_ID="9.4"\n']
const harbour = fixture('harbour.sqlite')

test('the three forms, byte orders and page sizes say what rpm says', () => {
  const cases: [path: string, database: string, list: string][] = [
    [sqlitePath, 'harbour.sqlite', 'harbour'],
    ['var/lib/rpm/Packages', 'harbour-little.bdb', 'harbour'],
    ['usr/share/rpm/Packages', 'harbour-big.bdb', 'harbour'],
    ['var/lib/rpm/Packages', 'harbour-huge.bdb', 'harbour'],
    ['var/lib/rpm/Packages', 'libuuid.bdb', 'libuuid'],
    ['usr/lib/sysimage/rpm/Packages.db', 'sle15-bci.ndb', 'sle15-bci'],
  ]
  for (const [path, database, list] of cases) {
    const found = comparable(packagesOf(rpm, path, fixture(database)), list === 'sle15-bci')
    assert.deepEqual(found, comparable(listed(list)), database)
    assert.ok(found.length > 0)
  }
})

const shared = sharedData('rpmdb/cbl-mariner-2.0/rpmdb.sqlite')
const absent = existsSync(shared) ? false : 'left out: the shared rpm databases are not there'

test('a database of CBL-Mariner, 129 packages that own 7269 files', { skip: absent }, () => {
  const found = packagesOf(rpm, sqlitePath, readFileSync(shared))
  assert.deepEqual(comparable(found), comparable(listed('cbl-mariner-2.0')))
  assert.equal(
    found.reduce((sum, { ownedFiles }) => sum + (ownedFiles?.length ?? 0), 0),
    7269,
  )
})

test('the form is told by the first bytes, not by the name', () => {
  assert.equal(packagesOf(rpm, 'var/lib/rpm/Packages', harbour).length, 6)
  assert.equal(packagesOf(rpm, sqlitePath, fixture('harbour-little.bdb')).length, 6)
})

test('epochs, the epoch of a source, modules, vendors and files are kept', () => {
  const found = new Map(packagesOf(rpm, sqlitePath, harbour).map((pack) => [pack.name, pack]))
  assert.equal(found.get('harbour-base')?.version, '2:1.0-1.el9')
  assert.deepEqual(found.get('harbour-base')?.ownedFiles?.sort(), [
    'usr/lib/python3.9/site-packages/six-1.15.0.dist-info',
    'usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA',
    'usr/share/doc/harbour',
    'usr/share/doc/harbour/ünïcode',
  ])
  // Its own epoch is none; the source's is that of the other packages of the source (trivy#77).
  assert.equal(found.get('harbour-perl-Errno')?.version, '1.30-481.el9')
  assert.deepEqual(found.get('harbour-perl-Errno')?.source, { name: 'harbour-perl', version: '4:5.32.1-481.el9' })
  assert.equal(found.get('harbour-node')?.modularity, 'nodejs:18:9040020240807131341:rhel9')
  assert.equal(found.get('harbour-extra')?.vendor, 'Fedora Project')
  assert.ok(!found.has('gpg-pubkey'))
})

test('the places of databases are wanted, and nothing like them', () => {
  for (const folder of ['var/lib', 'usr/lib/sysimage', 'usr/share']) {
    for (const name of ['Packages', 'Packages.db', 'rpmdb.sqlite', 'rpmdb.sqlite-wal', 'rpmdb.sqlite-journal']) {
      assert.ok(rpm.wants(`${folder}/rpm/${name}`))
    }
  }
  for (const path of ['var/lib/rpm/rpmdb.sqlite-shm', 'var/lib/rpm/Basenames', 'x/var/lib/rpm/Packages', 'var/lib/rpm/Packages/x']) {
    assert.ok(!rpm.wants(path), path)
  }
})

test('an empty file is a database of nothing, and any other that is none is a problem', () => {
  assert.deepEqual(factsOf(rpm, 'var/lib/rpm/Packages', ''), [])
  for (const text of ['x', 'x'.repeat(10_000), 'SQLite format 3\0']) {
    assert.deepEqual(factsOf(rpm, 'var/lib/rpm/Packages', text), [{ problem: 'is none of the databases that rpm keeps' }])
  }
})

test('an image: what the distribution built, what it owns, what another built', async () => {
  const image = squash([
    await layerOf([
      alma,
      [sqlitePath, harbour],
      ['usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: six\nVersion: 1.15.0\n'],
      ['usr/lib/python3.9/site-packages/requests-2.25.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: requests\nVersion: 2.25.0\n'],
    ]),
  ])
  const said = (name: string) => image.packages.find((pack) => pack.name === name)
  assert.deepEqual(image.problems, [])
  assert.equal(image.packages.length, 8)
  assert.equal(said('six')?.ownedBy, 'harbour-base')
  // Packages of EPEL and the like are not the distribution's (trivy#649), and nor is what they own.
  assert.equal(said('requests')?.ownedBy, undefined)
  assert.deepEqual([said('harbour-extra')?.foreign, said('harbour-base')?.foreign], [true, undefined])
  assert.equal(
    said('harbour-node')?.purl,
    'pkg:rpm/almalinux/harbour-node@18.20.4-1.module_el9.4.0+110+6e5d0f9b?arch=noarch&distro=almalinux-9.4&epoch=1&rpmmod=nodejs%3A18%3A9040020240807131341%3Arhel9&upstream=harbour-node-18.20.4-1.module_el9.4.0%2B110%2B6e5d0f9b.src.rpm',
  )
})

test('a Fedora image has its packages', async () => {
  const fedora: Member = ['etc/os-release', 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nVARIANT_ID=container\n']
  const { packages } = squash([await layerOf([fedora, [sqlitePath, harbour]])])
  assert.equal(packages.length, 6)
  assert.equal(packages.find(({ name }) => name === 'harbour-extra')?.foreign, undefined)
})

const names = (layers: LayerFacts[]): string[] => [...new Set(squash(layers).packages.map(({ name }) => name))].sort()
const all = listed('harbour').map(({ name }) => name)

test('a database that moves between layers is read where it is', async () => {
  const below = await layerOf([[sqlitePath, harbour]])
  const moved = await layerOf(['var/lib/.wh.rpm', ['usr/lib/sysimage/rpm/rpmdb.sqlite', harbour]])
  const linked = await layerOf([
    symlink('var/lib/rpm', '../../usr/lib/sysimage/rpm'),
    ['usr/lib/sysimage/rpm/Packages', fixture('libuuid.bdb')],
  ])
  assert.deepEqual(names([below, moved]), all)
  assert.deepEqual(squash([below, moved]).problems, [])
  assert.ok(squash([below, moved]).packages.every(({ location }) => location === 'usr/lib/sysimage/rpm/rpmdb.sqlite'))
  // A link in the place of the folder takes the folder away (trivy#2637).
  assert.deepEqual(names([below, linked]), ['libuuid'])
  assert.deepEqual(names([below, await layerOf(['var/lib/rpm/.wh..wh..opq'])]), [])
  assert.deepEqual(names([below, await layerOf([['var/lib/rpm/rpmdb.sqlite', '']])]), [])
})

test('a database that is a hard link is read', async () => {
  const layer = await layerOf([['usr/lib/sysimage/rpm/base', harbour], hardLink(sqlitePath, 'usr/lib/sysimage/rpm/base')])
  assert.deepEqual(layer.problems, [])
  assert.deepEqual(names([layer]), all)
})

test('a large database is read where it was laid down, to the same packages', async () => {
  // Free pages at the end, as a database has after much was removed: more than is held in memory.
  const large = Buffer.concat([fixture('harbour-huge.bdb'), Buffer.alloc(16 * 1024 * 1024)])
  large.writeUInt32LE(large.length / 65_536 - 1, 32)
  assert.deepEqual(names([await layerOf([['var/lib/rpm/Packages', large]])]), all)
})

test('a write-ahead log is applied, up to its last commit', async () => {
  const { database, log } = withLog()
  const wal = `${sqlitePath}-wal`
  const orders: Member[][] = [
    [
      [sqlitePath, database],
      [wal, log],
    ],
    [
      [wal, log],
      [sqlitePath, database],
    ],
  ]
  for (const members of orders) {
    const layer = await layerOf(members)
    assert.deepEqual(layer.problems, [])
    assert.deepEqual(names([layer]), ['harbour-extra', 'harbour-node', 'harbour-perl', 'harbour-perl-Errno', 'harbour-perl-libs'])
  }
  const cut = await layerOf([
    [sqlitePath, database],
    [wal, log.subarray(0, 32 + 4000)],
  ])
  assert.deepEqual(names([cut]), all)
  assert.deepEqual(names([await layerOf([[sqlitePath, database]])]), all)
})

test('changes without the database that they are to are a problem', async () => {
  const { log } = withLog()
  const problems = async (...members: Member[]) => (await layerOf(members)).problems
  assert.deepEqual(await problems([`${sqlitePath}-wal`, log]), [
    `${sqlitePath}-wal: holds changes to a database that this layer does not have`,
  ])
  assert.deepEqual(await problems([`${sqlitePath}-wal`, ''], [`${sqlitePath}-journal`, '']), [])
  assert.match(
    (await problems([sqlitePath, harbour], [`${sqlitePath}-journal`, 'hot journal']))[0] ?? '',
    /is to be taken back by its journal/,
  )
  assert.match((await problems([sqlitePath, harbour], [`${sqlitePath}-wal`, 'x'.repeat(100)]))[0] ?? '', /its log \(-wal\) is none/)
})

/** SQLite itself removes a package; its log is taken before it is folded in. */
function withLog(): { database: Buffer; log: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-test-rpm-'))
  const path = join(folder, 'rpmdb.sqlite')
  try {
    writeFileSync(path, harbour)
    using database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
    database.exec('PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; BEGIN')
    // hnum of harbour-base, by the table that rpm keeps for that.
    const removed = database.prepare("DELETE FROM Packages WHERE hnum = (SELECT hnum FROM Name WHERE key = 'harbour-base')").run()
    assert.equal(removed.changes, 1)
    database.exec('COMMIT')
    return { database: readFileSync(path), log: readFileSync(`${path}-wal`) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
