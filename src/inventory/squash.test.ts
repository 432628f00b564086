import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ImageInventory } from '../model/inventory.ts'
import type { LayerFacts, LayerFile } from '../model/layer.ts'
import { squash } from './squash.ts'
import { visibleFiles } from './squash/tree.ts'
import { layerOf, symlink } from './testing/tars.ts'
import type { Member } from './testing/tars.ts'
import { zipOf } from './testing/zips.ts'

const statusPath = 'var/lib/dpkg/status'

test('the newest database has its say alone, and a package keeps the layer that brought it', async () => {
  const layers = await layersOf(
    [[statusPath, deb('a', '1', 'b', '1')]],
    [[statusPath, deb('a', '1', 'b', '2')]],
    ['srv/app'],
    [[statusPath, deb('a', '1', 'c', '1')]],
  )
  const { packages } = squash(layers)
  assert.deepEqual(
    packages.map(({ name, version, layer }) => [name, version, layers.findIndex(({ diffId }) => diffId === layer)]),
    [
      ['a', '1', 0],
      ['c', '1', 3],
    ],
  )
})

test('a second copy of a library elsewhere was brought by the layer that has it', async () => {
  const library = JSON.stringify({ name: 'x', version: '1' })
  const layers = await layersOf(
    [['app/node_modules/x/package.json', library]],
    [['srv/node_modules/x/package.json', library]],
    [['app/node_modules/x/package.json', library]],
  )
  assert.deepEqual(
    squash(layers).packages.map(({ location, layer }) => [location.slice(0, 3), layers.findIndex(({ diffId }) => diffId === layer)]),
    [
      ['srv', 1],
      ['app', 0],
    ],
  )
})

test('a package that went away and came back was brought by the later layer', async () => {
  const layers = await layersOf([[statusPath, deb('a', '1')]], [[statusPath, deb('b', '1')]], [[statusPath, deb('a', '1', 'x', '1')]])
  assert.equal(squash(layers).packages.find(({ name }) => name === 'a')?.layer, layers[2]?.diffId)
})

const removals: [string, Member[]][] = [
  ['a whiteout of the file', ['app/node_modules/x/.wh.package.json']],
  ['a whiteout of a folder above', ['.wh.app']],
  ['an opaque folder', ['app/node_modules/.wh..wh..opq']],
  ['an opaque root', ['.wh..wh..opq']],
  ['a file in the place of a folder', [['app/node_modules', 'file']]],
  ['a link in the place of a folder', [symlink('app', 'elsewhere')]],
  ['a folder in the place of the file', ['app/node_modules/x/package.json/']],
  ['a folder that no entry names in the place of the file', ['app/node_modules/x/package.json/inside']],
  ['a file that says nothing', [['app/node_modules/x/package.json', '{}']]],
]

for (const [name, members] of removals) {
  test(`${name} removes what lower layers said there, and only there`, async () => {
    const below: Member[] = [
      ['app/node_modules/x/package.json', npm('x')],
      ['apple/node_modules/y/package.json', npm('y')],
    ]
    const found = squash(await layersOf(below, members)).packages.map((pack) => pack.name)
    assert.deepEqual(found, name === 'an opaque root' ? [] : ['y'])
    const again = squash(await layersOf(below, members, [['app/node_modules/x/package.json', npm('x')]])).packages
    assert.ok(again.some((pack) => pack.name === 'x'))
  })
}

test('whiteouts and opaque folders spare the files of their own layer', async () => {
  const layers = await layersOf(
    [
      ['a/old', ''],
      ['b', 'old'],
    ],
    ['a/.wh..wh..opq', 'a/new', '.wh.b', ['b', 'new']],
  )
  assert.deepEqual(visible(layers), ['a/new', 'b'])
})

test('a language package that a distribution package owns says so', async () => {
  const dist = 'usr/lib/python3/dist-packages/requests-2.dist-info/METADATA'
  const list: Member = ['var/lib/dpkg/info/python3-requests.list', `/.\n/${dist}\n`]
  const install: Member[] = [[statusPath, deb('python3-requests', '2-1')], list, [dist, python('requests', '2')]]
  const owner = async (...layers: Member[][]) => packageNamed(squash(await layersOf(...layers)), 'requests')?.ownedBy
  assert.equal(await owner(install), 'python3-requests')
  assert.equal(await owner(install, [[dist, python('requests', '2')]]), 'python3-requests', 'rewritten with the same content: chown')
  assert.equal(
    await owner(install, [[statusPath, deb('python3-requests', '2-2')], list, [dist, python('requests', '2')]]),
    'python3-requests',
    'updated by the distribution',
  )
  assert.equal(await owner(install, [[dist, python('requests', '3')]]), undefined, 'overwritten by pip')
  assert.equal(await owner(install, [[statusPath, deb('other', '1')]]), undefined, 'the owner was removed')
  assert.equal(
    await owner([
      [statusPath, deb('python3-requests', '2-1')],
      [dist, python('requests', '2')],
    ]),
    undefined,
    'no list',
  )
})

test('ownership by apk, by distroless sums, and through a merged /usr', async () => {
  const file = 'usr/lib/node_modules/npm/package.json'
  const apk: Member = ['lib/apk/db/installed', 'P:npm\nV:9-r0\nF:usr/lib/node_modules/npm\nR:package.json\n']
  assert.equal(packageNamed(squash(await layersOf([apk, [file, npm('npm')]])), 'npm', 'npm')?.ownedBy, 'npm')
  const distroless: Member[] = [
    ['var/lib/dpkg/status.d/b64name', deb('nodejs', '18')],
    ['var/lib/dpkg/status.d/b64name.md5sums', `${'0'.repeat(32)}  ${file}\n`],
  ]
  assert.equal(packageNamed(squash(await layersOf([...distroless, [file, npm('npm')]])), 'npm')?.ownedBy, 'nodejs')
  const merged: Member[] = [
    symlink('lib', 'usr/lib'),
    [statusPath, deb('nodejs', '18')],
    ['var/lib/dpkg/info/nodejs.list', '/lib/node_modules/npm/package.json\n'],
    [file, npm('npm')],
  ]
  assert.equal(packageNamed(squash(await layersOf(merged)), 'npm')?.ownedBy, 'nodejs')
})

test('distroless stanzas of many layers are one list', async () => {
  const layers = await layersOf([['var/lib/dpkg/status.d/a', deb('a', '1')]], [['var/lib/dpkg/status.d/b', deb('b', '1')]])
  assert.deepEqual(
    squash(layers).packages.map(({ name }) => name),
    ['a', 'b'],
  )
})

test('what is said twice in one place is one package, in two places two, for two architectures two', async () => {
  const twice = `${deb('a', '1')}${deb('a', '1')}`
  assert.equal(squash(await layersOf([[statusPath, twice]])).packages.length, 1)
  assert.equal(
    squash(
      await layersOf([
        ['a/node_modules/x/package.json', npm('x')],
        ['b/node_modules/x/package.json', npm('x')],
      ]),
    ).packages.length,
    2,
  )
  const multi =
    deb('a', '1').replace('Version', 'Architecture: i386\nVersion') + deb('a', '1').replace('Version', 'Architecture: amd64\nVersion')
  assert.deepEqual(
    squash(await layersOf([[statusPath, multi]])).packages.map(({ architecture }) => architecture),
    ['i386', 'amd64'],
  )
})

test('the release: /etc before /usr/lib, and a link to the latter gives way to it', async () => {
  const usr: Member = ['usr/lib/os-release', 'ID=debian\nVERSION_ID=12\n']
  assert.equal(squash(await layersOf([usr, symlink('etc/os-release', '../usr/lib/os-release')])).release?.id, 'debian')
  assert.equal(squash(await layersOf([usr, ['etc/os-release', 'ID=mine\n']])).release?.id, 'mine')
  assert.equal(
    squash(await layersOf([usr, ['etc/os-release', 'ID=mine\n']], [symlink('etc/os-release', '../usr/lib/os-release')])).release?.id,
    'debian',
  )
  assert.equal(squash(await layersOf([usr], ['usr/lib/.wh.os-release'])).release, undefined)
})

test('package URLs carry the distribution', async () => {
  const { packages } = squash(
    await layersOf([
      ['etc/os-release', 'ID=ubuntu\nVERSION_ID="22.04"\n'],
      [statusPath, deb('g++', '4:11.2-1')],
      ['node_modules/@s/x/package.json', npm('@s/x')],
      ['a.egg-info', python('A_b', '1')],
    ]),
  )
  assert.deepEqual(
    packages.map(({ purl }) => purl),
    ['pkg:deb/ubuntu/g%2B%2B@4:11.2-1?distro=ubuntu-22.04', 'pkg:npm/%40s/x@1.0.0', 'pkg:pypi/a-b@1'],
  )
})

test('unsupported databases stand while their file does; components that the distribution owns are its own', async () => {
  assert.deepEqual(squash(await layersOf([['nix/var/nix/db/db.sqlite', 'x']])).unsupported, [
    { kind: 'nix', path: 'nix/var/nix/db/db.sqlite' },
  ])
  assert.deepEqual(squash(await layersOf([['nix/var/nix/db/db.sqlite', 'x']], ['nix/var/nix/.wh.db'])).unsupported, [])
  const jar: Member = ['usr/share/java/a.jar', zipOf([['a/A.class', 'x']])]
  assert.equal(squash(await layersOf([jar])).unsupported.length, 1)
  assert.equal(
    squash(await layersOf([jar, [statusPath, deb('liba-java', '1')], ['var/lib/dpkg/info/liba-java.list', '/usr/share/java/a.jar\n']]))
      .unsupported.length,
    0,
  )
})

test('a database behind a link at an unusual place is a problem, at a usual place it is read', async () => {
  const problems = async (...members: Member[]) => squash(await layersOf(members)).problems
  assert.deepEqual(await problems(symlink('var/lib/dpkg', '/opt/dpkg'), ['opt/dpkg/status', deb('a', '1')]), [
    'var/lib/dpkg/status: a link leads to opt/dpkg/status, which is not read',
  ])
  assert.deepEqual(await problems(symlink('var/lib/dpkg/status', 'other'), ['var/lib/dpkg/other', deb('a', '1')]), [
    'var/lib/dpkg/status: a link leads to var/lib/dpkg/other, which is not read',
  ])
  assert.deepEqual(await problems(symlink('var/lib/rpm', '../../opt/rpm'), ['opt/rpm/Packages', 'x']), [
    'var/lib/rpm: a link leads to opt/rpm, which is not read',
  ])
  assert.deepEqual(
    await problems(
      symlink('lib', 'usr/lib'),
      ['usr/lib/apk/db/installed', 'P:a\nV:1\n'],
      symlink('var/lib/rpm', '../../usr/lib/sysimage/rpm'),
      ['usr/lib/sysimage/rpm/Packages', ''],
      ['usr/lib/sysimage/rpm/lock', ''],
    ),
    [],
  )
  assert.deepEqual(await problems(symlink('var/lib/dpkg', '/nowhere'), symlink('lib', 'lib')), [])
})

test('problems of every layer are kept, with the layer', async () => {
  const layers = await layersOf([['node_modules/a/package.json', '{']], ['.wh.node_modules'])
  assert.match(squash(layers).problems[0] ?? '', /^layer sha256:[0-9a-f]{12}: node_modules\/a\/package.json: /)
})

test('no layers at all are an empty image', () => {
  assert.deepEqual(squash([]), { packages: [], unsupported: [], problems: [], files: { count: 0, sizeBytes: 0 } })
})

test('any stack of layers shows the files that unpacking them in turn would leave', async () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const member: fc.Arbitrary<Member> = fc.oneof(
    path,
    path.map((some) => `${some}/`),
    path.map((some) => symlink(some, 'nowhere')),
    path.map((some) => some.replace(/[^/]+$/, '.wh.$&')),
    path.map((some) => `${some}/.wh..wh..opq`),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(member, { maxLength: 6 }), { maxLength: 5 }), async (stack) => {
      const layers = await layersOf(...stack)
      assert.deepEqual(visible(layers).sort(), unpacked(layers).sort())
    }),
    { numRuns: 400 },
  )
})

test('130 layers of 500,000 files are laid over each other in seconds', () => {
  const perLayer = 3850
  const layers = Array.from(
    { length: 130 },
    (_, layer): LayerFacts => ({
      ...empty,
      files: Array.from({ length: perLayer }, (_, at) => file(`usr/share/d${Math.floor(at / 40)}/l${layer}f${at}`)).concat(
        file(statusPath),
      ),
      whiteouts: [`usr/share/d${layer % 90}/l0f0`, `usr/share/d1/l${layer - 1}f45`],
      packages: Array.from({ length: 400 }, (_, at) => ({
        location: statusPath,
        package: { kind: 'deb', name: `p${at}`, version: `${Math.floor((layer + at) / 40)}` },
      })),
    }),
  )
  const start = performance.now()
  const found = squash(layers)
  assert.equal(found.packages.length, 400)
  assert.equal(found.files.count, 130 * perLayer + 1 - 129 - 1)
  assert.ok(performance.now() - start < 20_000)
})

const empty: LayerFacts = {
  diffId: `sha256:${'0'.repeat(64)}` as LayerFacts['diffId'],
  sizeBytes: 0,
  files: [],
  whiteouts: [],
  opaque: [],
  packages: [],
  releases: [],
  unsupported: [],
  problems: [],
}

function file(path: string): LayerFile {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 }
}

async function layersOf(...layers: Member[][]): Promise<LayerFacts[]> {
  return await Promise.all(layers.map(async (members) => await layerOf(members)))
}

function visible(layers: LayerFacts[]): string[] {
  return [...visibleFiles(layers)].filter(({ file: found }) => found.type !== 'directory').map(({ file: found }) => found.path)
}

/** The plain way: a map of paths, changed layer by layer. Out: paths of all that is no folder. */
function unpacked(layers: LayerFacts[]): string[] {
  let tree = new Map<string, boolean>()
  const removeBelow = (folder: string) => (tree = new Map([...tree].filter(([path]) => folder !== '' && !path.startsWith(`${folder}/`))))
  for (const layer of layers) {
    for (const path of layer.whiteouts) {
      removeBelow(path)
      tree.delete(path)
    }
    for (const path of layer.opaque) removeBelow(path)
    for (const { path, type } of layer.files) {
      for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) tree.set(path.slice(0, slash), true)
      if (type !== 'directory') removeBelow(path)
      tree.set(path, type === 'directory')
    }
  }
  return [...tree].filter(([, isFolder]) => !isFolder).map(([path]) => path)
}

function deb(...pairs: string[]): string {
  const stanzas = pairs.flatMap((name, at) =>
    at % 2 === 0 ? [`Package: ${name}\nStatus: install ok installed\nVersion: ${pairs[at + 1]}\n\n`] : [],
  )
  return stanzas.join('')
}

function npm(name: string): string {
  return JSON.stringify({ name, version: '1.0.0' })
}

function python(name: string, version: string): string {
  return `Name: ${name}\nVersion: ${version}\n`
}

function packageNamed({ packages }: ImageInventory, name: string, kind?: string) {
  return packages.find((pack) => pack.name === name && (kind === undefined ? pack.kind !== 'deb' : pack.kind === kind))
}
