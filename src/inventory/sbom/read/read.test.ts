import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../../../kit/errors.ts'
import { digestOf } from '../../../model/digest.ts'
import type { LayerFacts } from '../../../model/layer.ts'
import type { ImagePackage, PackageKind } from '../../../model/package.ts'
import { purlOf } from '../../purl.ts'
import { squash } from '../../squash.ts'
import { toCycloneDx } from '../cyclonedx.ts'
import { toSpdx } from '../spdx-document.ts'
import { isJsonHead } from './head.ts'
import { readSbom } from './read.ts'

const digest = digestOf('sha256', 'a1b2c3d4'.repeat(8))
const debian = { id: 'debian', versionId: '12', idLike: [], prettyName: 'Debian GNU/Linux 12 (bookworm)' }

const read = (document: unknown) => readSbom(Buffer.from(JSON.stringify(document)), 'x.json')
const packagesIn = (facts: LayerFacts) =>
  facts.packages.map(({ location, package: { kind, name, version } }) => [kind, name, version, location])
const cycloneDx = (components: unknown, more: object = {}) => read({ bomFormat: 'CycloneDX', specVersion: '1.6', components, ...more })

describe('our own documents are read back', () => {
  const packages = [
    image(
      { kind: 'deb', name: 'libssl3', version: '1:3.0.11-1', architecture: 'amd64', source: { name: 'openssl', version: '3.0.11-1' } },
      'var/lib/dpkg/status',
    ),
    image(
      { kind: 'deb', name: 'python3-requests', version: '2.28', ownedFiles: ['usr/lib/python3/dist-packages/requests.dist-info/METADATA'] },
      'var/lib/dpkg/status',
    ),
    {
      ...image({ kind: 'pypi', name: 'requests', version: '2.28' }, 'usr/lib/python3/dist-packages/requests.dist-info/METADATA'),
      ownedBy: 'python3-requests',
    },
    image({ kind: 'npm', name: '@scope/thing', version: '1.0.0', licence: 'MIT' }, 'srv/a/node_modules/@scope/thing/package.json'),
    image({ kind: 'maven', name: 'org.apache.logging.log4j:log4j-core', version: '2.14.1' }, 'app/x.jar!/BOOT-INF/lib/log4j.jar'),
    image({ kind: 'golang', name: 'golang.org/x/net', version: 'v0.1.0' }, 'usr/bin/x'),
    image({ kind: 'gem', name: 'nokogiri', version: '1.15.0', qualifiers: { platform: 'x86_64-linux' } }, 'usr/lib/x.gemspec'),
    image({ kind: 'cargo', name: 'time', version: '0.1.0', licence: 'more or less free' }, 'usr/bin/y'),
    image({ kind: 'gem', name: 'jam', version: '0.1.0', licence: 'MIT AND (ISC OR LicenseRef-public-domain)' }, 'usr/lib/jam.gemspec'),
    image({ kind: 'composer', name: 'symfony/http', version: '5.0.0' }, 'srv/installed.json'),
    image({ kind: 'program', name: 'nginx', version: '1.25.0' }, 'usr/sbin/nginx'),
    image({ kind: 'hex', name: 'cowboy', version: '2.9.0' }, 'app/lib/cowboy-2.9.0/ebin/cowboy.app'),
    image({ kind: 'otp', name: 'crypto', version: '5.1.2' }, 'app/lib/crypto-5.1.2/ebin/crypto.app'),
    image({ kind: 'pub', name: 'args', version: '2.4.2+1' }, 'app/pubspec.lock'),
    image({ kind: 'swift', name: 'github.com/apple/swift-nio', version: '2.62.0' }, 'app/Package.resolved'),
    image({ kind: 'luarocks', name: 'lpeg', version: '1.1.0-1' }, 'usr/lib/luarocks/rocks-5.4/lpeg/1.1.0-1/lpeg-1.1.0-1.rockspec'),
    image({ kind: 'wordpress', name: 'plugins/redis', version: '1.0' }, 'srv/wp-content/plugins/redis/redis.php'),
  ]
  const documents = {
    CycloneDX: toCycloneDx({ name: 'x', digest, packages, release: debian }),
    SPDX: toSpdx({ name: 'x', digest, packages, release: debian }),
    'the JSON of a scan': { digest, packages, release: debian, doubts: [] },
  }
  for (const [form, document] of Object.entries(documents)) {
    test(form, () => {
      const facts = read(document)
      assert.deepEqual(facts.problems, [])
      assert.deepEqual(facts.unsupported, [])
      const back = squash([facts])
      assert.deepEqual(back.release, debian)
      const told = (some: ImagePackage[]) =>
        some.map(({ purl, location, source, ownedBy, licence }) => JSON.stringify({ purl, location, source, ownedBy, licence })).toSorted()
      assert.deepEqual(told(back.packages), told(packages))
    })
  }

  test('an rpm keeps its epoch, its source, its module stream and who built it', () => {
    const rocky = { id: 'rocky', versionId: '9.4', idLike: [] }
    const rpm = {
      kind: 'rpm',
      name: 'nodejs-libs',
      version: '1:18.0-1.el9',
      architecture: 'x86_64',
      source: { name: 'nodejs', version: '1:18.0-1.el9' },
      modularity: 'nodejs:18:9040:rhel9',
      vendor: 'Rocky Enterprise',
    } as const
    const packages = [{ ...rpm, purl: purlOf(rpm, rocky), location: 'var/lib/rpm/rpmdb.sqlite', layer: digest }]
    for (const document of [
      toCycloneDx({ name: 'x', digest, packages, release: rocky }),
      toSpdx({ name: 'x', digest, packages, release: rocky }),
    ]) {
      const [back] = squash([read(document)]).packages
      assert.deepEqual(
        [back?.version, back?.source, back?.modularity, back?.vendor, back?.purl],
        [rpm.version, rpm.source, rpm.modularity, rpm.vendor, packages[0]?.purl],
      )
    }
  })
})

test('a package at a thousand places keeps them, and its owner, in every form', () => {
  const paths = Array.from({ length: 1000 }, (_, at) => `usr/lib/node_modules/number-${at}/node_modules/minimist/package.json`)
  const owner = image({ kind: 'deb', name: 'node-all', version: '1' }, 'var/lib/dpkg/status')
  const packages = [
    owner,
    ...paths.map((path) => ({ ...image({ kind: 'npm', name: 'minimist', version: '1.2.5' }, path), ownedBy: 'node-all' })),
  ]
  for (const document of [
    toCycloneDx({ name: 'x', digest, packages, release: debian }),
    toSpdx({ name: 'x', digest, packages, release: debian }),
  ]) {
    const back = squash([read(document)]).packages.filter(({ kind }) => kind === 'npm')
    assert.deepEqual(back.map(({ location }) => location).toSorted(), paths.toSorted())
    assert.ok(back.every(({ ownedBy }) => ownedBy === 'node-all'))
  }
})

describe('documents of others', () => {
  test('CycloneDX as Trivy writes it: the distribution by its component, sources and paths by properties', () => {
    const facts = cycloneDx([
      { type: 'operating-system', name: 'debian', version: '12.4' },
      { type: 'application', name: 'app/package-lock.json', properties: [{ name: 'aquasecurity:trivy:Class', value: 'lang-pkgs' }] },
      {
        type: 'library',
        name: 'libssl3',
        version: '3.0.11-1',
        purl: 'pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12.4',
        properties: [
          { name: 'aquasecurity:trivy:SrcName', value: 'openssl' },
          { name: 'aquasecurity:trivy:SrcVersion', value: '3.0.11' },
          { name: 'aquasecurity:trivy:SrcRelease', value: '1' },
          { name: 'aquasecurity:trivy:SrcEpoch', value: '1' },
        ],
      },
      {
        type: 'library',
        group: '@x',
        name: 'y',
        version: '1',
        purl: 'pkg:npm/%40x/y@1',
        properties: [{ name: 'aquasecurity:trivy:FilePath', value: 'app/node_modules/@x/y/package.json' }],
      },
    ])
    assert.deepEqual(packagesIn(facts), [
      ['deb', 'libssl3', '3.0.11-1', 'components[2]'],
      ['npm', '@x/y', '1', 'app/node_modules/@x/y/package.json'],
    ])
    assert.deepEqual(facts.packages[0]?.package.source, { name: 'openssl', version: '1:3.0.11-1' })
    assert.deepEqual(facts.releases[0]?.release, { id: 'debian', versionId: '12.4', idLike: [] })
    assert.deepEqual([facts.problems, facts.unsupported], [[], []])
  })

  test('CycloneDX as Syft writes it: the distribution by package URLs, the source by upstream', () => {
    const facts = cycloneDx([
      {
        type: 'library',
        name: 'zlib',
        version: '1.2',
        purl: 'pkg:apk/alpine/zlib@1.2?arch=x86_64&distro=alpine-3.17.2&upstream=zlib-ng%401.3',
        properties: [{ name: 'syft:location:0:path', value: '/lib/apk/db/installed' }],
      },
      {
        type: 'library',
        name: 'openssl-libs',
        version: '1:3.0.7-1.el9',
        purl: 'pkg:rpm/redhat/openssl-libs@3.0.7-1.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-1.el9.src.rpm',
      },
      { type: 'file', name: '/etc/passwd' },
    ])
    assert.deepEqual(packagesIn(facts), [
      ['apk', 'zlib', '1.2', 'lib/apk/db/installed'],
      ['rpm', 'openssl-libs', '1:3.0.7-1.el9', 'components[1]'],
    ])
    assert.deepEqual(
      facts.packages.map(({ package: { source } }) => source),
      [
        { name: 'zlib-ng', version: '1.3' },
        { name: 'openssl', version: '1:3.0.7-1.el9' },
      ],
    )
    assert.deepEqual(facts.releases[0]?.release, { id: 'alpine', versionId: '3.17.2', idLike: [] })
  })

  test('SPDX 2.2 and 2.3', () => {
    const packages = [
      { name: 'image', SPDXID: 'SPDXRef-1', versionInfo: 'sha256:x', primaryPackagePurpose: 'CONTAINER' },
      { name: 'redhat', SPDXID: 'SPDXRef-2', versionInfo: '9.2', primaryPackagePurpose: 'OPERATING-SYSTEM' },
      {
        name: 'minimist',
        SPDXID: 'SPDXRef-3',
        versionInfo: '1.2.5',
        licenseDeclared: 'NOASSERTION',
        sourceInfo: 'acquired package info from installed node module manifest file: /app/node_modules/minimist/package.json',
        externalRefs: [{ referenceCategory: 'PACKAGE_MANAGER', referenceType: 'purl', referenceLocator: 'pkg:npm/minimist@1.2.5' }],
      },
    ]
    for (const spdxVersion of ['SPDX-2.2', 'SPDX-2.3']) {
      const facts = read({ spdxVersion, packages })
      assert.deepEqual(packagesIn(facts), [['npm', 'minimist', '1.2.5', 'app/node_modules/minimist/package.json']])
      assert.equal(facts.releases[0]?.release.id, 'rhel')
      assert.deepEqual([facts.problems, facts.unsupported], [[], []])
    }
  })

  test('SPDX 3.0', () => {
    const facts = read({
      '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
      '@graph': [
        { type: 'CreationInfo', '@id': '_:c' },
        {
          type: 'software_Package',
          spdxId: 'a',
          name: 'minimist',
          software_packageVersion: '1.2.5',
          software_packageUrl: 'pkg:npm/minimist@1.2.5',
        },
        {
          type: 'software_Package',
          spdxId: 'b',
          name: 'requests',
          externalIdentifier: [{ type: 'ExternalIdentifier', externalIdentifierType: 'packageUrl', identifier: 'pkg:pypi/Requests@2.0' }],
        },
        { type: 'software_File', spdxId: 'c', name: 'f' },
        { type: 'Relationship', from: 'a', to: ['b'], relationshipType: 'dependsOn' },
      ],
    })
    assert.deepEqual(packagesIn(facts), [
      ['npm', 'minimist', '1.2.5', '@graph[0]'],
      ['pypi', 'requests', '2.0', '@graph[1]'],
    ])
  })
})

describe('what is not sure is said', () => {
  test('a component without a package URL, or of a kind that nothing judges, is named', () => {
    const facts = cycloneDx([
      { type: 'library', name: 'mystery', version: '1' },
      { type: 'library', name: 'kit', version: '1', purl: 'pkg:cocoapods/kit@1' },
      { type: 'library', name: 'thing', purl: 'pkg:npm/thing' },
    ])
    assert.deepEqual(
      facts.unsupported.map(({ kind, path, component }) => [kind, path, component]),
      [
        ['unidentified', 'mystery', true],
        ['cocoapods', 'kit', true],
        ['npm (without a version)', 'thing', true],
      ],
    )
  })

  test('a package URL that is none, another version of a form, a list that holds no objects: a problem', () => {
    assert.match(
      cycloneDx([{ type: 'library', name: 'x', purl: 'npm:x@1' }]).problems[0] ?? '',
      /^components\[0\]: "npm:x@1" is no package URL$/,
    )
    assert.match(
      cycloneDx([{ type: 'library', name: 'x', purl: 'pkg:npm/a%20b@1' }]).problems[0] ?? '',
      /has a name or a version that is none/,
    )
    assert.match(read({ bomFormat: 'CycloneDX', specVersion: '2.0', components: [] }).problems[0] ?? '', /CycloneDX 2\.0 is not known here/)
    assert.match(read({ spdxVersion: 'SPDX-2.9', packages: [] }).problems[0] ?? '', /SPDX-2\.9 is not known here/)
    assert.match(cycloneDx([7]).problems[0] ?? '', /components\[0\] is no object/)
    assert.match(
      read({ digest, packages: [], doubts: [{ doubt: 'unreadable', detail: 'x' }] }).problems[0] ?? '',
      /could not be read whole/,
    )
  })

  test('what is no SBOM is an error', () => {
    for (const text of ['', '{', '[]', '7', '{}', '{"packages":[]}', '{"spdxVersion":2.3}'])
      assert.throws(
        () => readSbom(Buffer.from(text), 'x.json'),
        (error) => error instanceof LazaretError && error.code === 'UNREADABLE',
        text,
      )
    assert.ok(isJsonHead(Buffer.from('\uFEFF \n{')))
    for (const head of ['', 'PK\u0003\u0004', '[', './etc/passwd']) assert.ok(!isJsonHead(Buffer.from(head)))
  })
})

describe('hostile documents', () => {
  test('cycles of dependencies, and components within components ten thousand deep', () => {
    const component = { type: 'library', 'bom-ref': 'a', name: 'a', version: '1', purl: 'pkg:npm/a@1' }
    const facts = cycloneDx([component], {
      dependencies: [
        { ref: 'a', dependsOn: ['b'] },
        { ref: 'b', dependsOn: ['a'] },
      ],
    })
    assert.equal(facts.packages.length, 1)
    const deep = `${'{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1","components":['.repeat(10_000)}${']}'.repeat(10_000)}`
    const read = readSbom(Buffer.from(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[${deep}]}`), 'x')
    assert.equal(read.packages.length, 10_000)
    assert.ok(read.packages.every(({ location }) => location.length < 300))
  })

  test('JSON ten thousand deep', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = open.repeat(10_000) + (open === '[' ? '' : '1') + close.repeat(10_000)
      const facts = readSbom(
        Buffer.from(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":${deep}}],"x":${deep}}`),
        'x',
      )
      assert.deepEqual(facts.packages, [])
    }
  })

  test('a million components: as many as are read, and a problem', () => {
    const begin = performance.now()
    const one = '{"type":"library","name":"a","purl":"pkg:npm/a@1"}'
    const facts = readSbom(
      Buffer.from(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[${`${one},`.repeat(999_999)}${one}]}`),
      'x',
    )
    assert.deepEqual(facts.problems, ['it lists more than the 200000 components that are read'])
    assert.ok(performance.now() - begin < 30_000)
  })

  test('a key that is a trap for objects is only a key', () => {
    const facts = readSbom(
      Buffer.from(
        '{"__proto__":{"bomFormat":"CycloneDX"},"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"__proto__":{"purl":"pkg:npm/x@1"},"type":"library","name":"a","version":"1"}]}',
      ),
      'x',
    )
    assert.deepEqual(facts.packages, [])
    assert.equal(facts.unsupported.length, 1)
    for (const word of ['constructor', 'valueof', '__proto__', 'tostring']) {
      const { packages, releases, unsupported, problems } = cycloneDx([
        { type: 'library', name: 'a', version: '1', purl: `pkg:${word}/a@1` },
        { type: 'operating-system', name: word },
      ])
      assert.deepEqual([packages, releases[0]?.release.id, unsupported.length + problems.length], [[], word, 1], word)
    }
  })

  test('whatever a document says: facts that can be printed, or an UNREADABLE', () => {
    const purl = fc.oneof(
      fc.constantFrom(
        'pkg:npm/a@1',
        'pkg:deb/debian/a@1?upstream=b@2',
        'pkg:rpm/x/a@1-1?epoch=1',
        'pkg:',
        'pkg:npm/%00@1',
        'pkg:maven/a/b@1',
        'pkg:golang/a/b/c@v1',
      ),
      fc.string(),
      fc.jsonValue(),
    )
    const component = fc.oneof(
      fc.record({
        type: fc.constantFrom('library', 'operating-system', 'file'),
        name: fc.jsonValue(),
        version: fc.jsonValue(),
        purl,
        licenses: fc.jsonValue(),
        evidence: fc.jsonValue(),
        properties: fc.jsonValue(),
        components: fc.jsonValue(),
      }),
      fc.jsonValue(),
    )
    const list = fc.oneof(fc.array(component), fc.jsonValue())
    const document = fc.oneof(
      list.map((components) => ({ bomFormat: 'CycloneDX', specVersion: '1.5', components })),
      list.map((packages) => ({ spdxVersion: 'SPDX-2.3', packages })),
      list.map((graph) => ({ '@context': 'https://spdx.org/rdf/3.0.0/spdx-context.jsonld', '@graph': graph })),
      list.map((packages) => ({ digest: 'x', packages })),
    )
    fc.assert(
      fc.property(document, (value) => {
        let facts: LayerFacts
        try {
          facts = read(value)
        } catch (error) {
          assert.ok(error instanceof LazaretError && error.code === 'UNREADABLE', String(error))
          return
        }
        for (const {
          package: { name, version },
        } of facts.packages)
          for (const text of [name, version]) assert.ok(text !== '' && text.length <= 1024 && text.isWellFormed() && !/[\s\0]/.test(text))
        squash([facts])
      }),
      { numRuns: 1000 },
    )
  })
})

function image(pack: Omit<ImagePackage, 'purl' | 'location' | 'layer'> & { kind: PackageKind }, location: string): ImagePackage {
  const { ownedFiles: _, ...rest } = pack
  return { ...rest, purl: purlOf(pack, debian), location, layer: digest }
}
