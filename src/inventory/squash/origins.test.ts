import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../../model/digest.ts'
import type { FoundManifest, LayerFacts } from '../../model/layer.ts'
import type { Package, PackageKind } from '../../model/package.ts'
import { layOver } from './locations.ts'
import { originsOf } from './origins.ts'
import type { Origin } from './origins.ts'

interface Found {
  location: string
  package: Package
}

function originsIn(packages: Found[], manifests: FoundManifest[] = [], links: [string, string][] = []): Record<string, Origin> {
  const files = packages.map(({ location }) => ({ path: location, type: 'file' as const, mode: 0, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 }))
  const diffId = digestOf('sha256', '0'.repeat(64))
  const facts: LayerFacts = {
    diffId,
    sizeBytes: 1,
    files,
    whiteouts: [],
    opaque: [],
    packages,
    manifests,
    releases: [],
    unsupported: [],
    problems: [],
  }
  const origins = originsOf(layOver([facts]), new Map(links))
  return Object.fromEntries([...origins].map(([key, origin]) => [key.split('\n')[1] ?? '', origin]))
}

function npm(folder: string, name: string, ...requires: string[]): Found {
  return { location: `${folder}/node_modules/${name}/package.json`, package: { kind: 'npm', name, version: '1', requires } }
}

const manifest = (location: string, direct: string[], directDev: string[] = []): FoundManifest => ({
  location,
  kind: 'npm',
  direct,
  directDev,
})

test('the nearest direct dependency first, and what is direct itself passes nothing on', () => {
  const packages = [
    npm('app', 'a', 'b', 'c'),
    npm('app', 'b', 'd'),
    npm('app', 'c', 'd'),
    npm('app', 'd', 'e'),
    npm('app', 'e'),
    npm('app', 'z', 'e'),
  ]
  assert.deepEqual(originsIn(packages, [manifest('app/package.json', ['a', 'z', 'c'])]), {
    a: { direct: true },
    z: { direct: true },
    c: { direct: true },
    b: { through: ['a@1'] },
    d: { through: ['c@1', 'a@1'] },
    e: { through: ['z@1', 'c@1', 'a@1'] },
  })
})

test('for development is what nothing else needs', () => {
  const packages = [npm('app', 'a', 'b'), npm('app', 'b'), npm('app', 't', 'b', 'u'), npm('app', 'u')]
  assert.deepEqual(originsIn(packages, [manifest('app/package.json', ['a'], ['t', 'b'])]), {
    a: { direct: true },
    t: { direct: true, dev: true },
    b: { direct: true },
    u: { dev: true, through: ['t@1'] },
  })
})

test('without a manifest the direct ones are those that nobody needs; a tree of its own has its own', () => {
  const packages = [npm('usr/lib', 'pm', 'x'), npm('usr/lib/node_modules/pm', 'x'), npm('app', 'a'), npm('app', 'old')]
  assert.deepEqual(originsIn(packages, [manifest('app/package.json', ['a'])]), {
    pm: { direct: true },
    x: { through: ['pm@1'] },
    a: { direct: true },
  })
})

test('the version that Node.js would find: of the nearest folder, by links, of a workspace from above', () => {
  const store = 'app/node_modules/.pnpm'
  const packages = [npm(`${store}/a@1`, 'a', 'b'), npm(`${store}/b@1`, 'b'), npm(`${store}/b@2`, 'b2')]
  const links: [string, string][] = [
    ['app/node_modules/a', '.pnpm/a@1/node_modules/a'],
    [`${store}/a@1/node_modules/b`, '../../b@1/node_modules/b'],
    ['app/packages/w/node_modules/b2', '../../../node_modules/.pnpm/b@2/node_modules/b2'],
    ['app/node_modules/loop', 'loop'],
  ]
  const manifests = [manifest('app/package.json', ['a', 'loop']), manifest('app/packages/w/package.json', ['b2'])]
  assert.deepEqual(originsIn(packages, manifests, links), { a: { direct: true }, b: { through: ['a@1'] }, b2: { direct: true } })
})

test('a name of which an environment has two versions leads to neither', () => {
  const gem = (name: string, version: string, ...requires: string[]): Found => ({
    location: `gems/specifications/${name}-${version}.gemspec`,
    package: { kind: 'gem', name, version, requires },
  })
  assert.deepEqual(originsIn([gem('a', '1', 'b', 'c'), gem('b', '1'), gem('b', '2'), gem('c', '1')]), {
    a: { direct: true },
    b: { direct: true },
    c: { through: ['a@1'] },
  })
})

test('circles end, and those that nothing leads to are left without a word', () => {
  const circle = [npm('app', 'a', 'b'), npm('app', 'b', 'a'), npm('app', 'c', 'c')]
  assert.deepEqual(originsIn(circle), { c: { direct: true } })
  assert.deepEqual(originsIn(circle, [manifest('app/package.json', ['a'])]), { a: { direct: true }, b: { through: ['a@1'] } })
})

test('a hostile tree costs a bounded time: deep folders, and every package asking for every other', () => {
  const deep = `x/${'d/'.repeat(1000)}app`
  const names = Array.from({ length: 1500 }, (_, at) => `p${at}`)
  const packages = [
    ...names.map((name) => npm('app', name, ...names)),
    ...names.map((name) => npm(deep, name, ...names.map((other) => `no-${other}`))),
  ]
  const start = performance.now()
  const origins = originsIn(packages, [manifest('app/package.json', names.slice(0, 100))])
  assert.ok(performance.now() - start < 30_000)
  assert.equal(origins['p0']?.direct, true)
})

test('whatever the graph, every origin is of a package there, and names at most five others', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const kind = fc.constantFrom<PackageKind>('npm', 'pypi', 'gem', 'composer', 'nuget', 'conda')
  const location = fc.constantFrom(
    'x/node_modules/a/package.json',
    'x/node_modules/b/package.json',
    'x/vendor/composer/installed.json',
    's/a.dist-info/METADATA',
    'a',
    '',
  )
  const found = fc.record({
    location,
    package: fc.record({ kind, name, version: fc.constantFrom('1', '2'), requires: fc.array(name, { maxLength: 4 }) }),
  })
  const said = fc.record({ location, kind, direct: fc.array(name), directDev: fc.array(name), devFolders: fc.array(location) })
  const link = fc.tuple(location, location)
  fc.assert(
    fc.property(
      fc.array(found, { maxLength: 20 }),
      fc.array(said, { maxLength: 4 }),
      fc.array(link, { maxLength: 4 }),
      (packages, manifests, links) => {
        const names = new Set<string>(packages.map((one) => one.package.name))
        for (const [key, { through = [], direct }] of Object.entries(originsIn(packages, manifests, links))) {
          assert.ok(names.has(key))
          assert.ok(through.length <= 5 && new Set(through).size === through.length)
          assert.ok(direct === undefined || through.length === 0)
        }
      },
    ),
    { numRuns: 2000 },
  )
})
