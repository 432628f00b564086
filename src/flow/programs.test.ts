// Programs that no package manager brought, from their bytes to the findings and doubts of an image.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type OpenAdvisories, openAdvisories } from '../advisories/database.ts'
import { importAdvisories } from '../advisories/import.ts'
import { osvRecord, sharedAdvisories, withoutShared, writeLines } from '../advisories/test-support.ts'
import { elfWith, fixtureOf } from '../inventory/testing/probes.ts'
import { layerOf } from '../inventory/testing/tars.ts'
import type { Member } from '../inventory/testing/tars.ts'
import type { Digest } from '../model/digest.ts'
import type { Evidence } from '../model/verdict.ts'
import { assembleEvidence } from './assemble.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const now = new Date('2026-11-24T12:00:00Z')
const fixture = (path: string) => fixtureOf(new URL(`../inventory/extractors/${path}.zst`, import.meta.url))
const goProgram = fixture('go/fixtures/go1.17-linux-amd64')
const loopvar = fixture('go/fixtures/go1.22-linux-amd64-loopvar')
const rustProgram = fixture('rust/fixtures/cargo-auditable-0.7.7')
const nginx = elfWith('\0nginx version: nginx/1.22.1\0')
const openssl = elfWith('\0OpenSSL 3.0.10 1 Aug 2023\0')

const folder = mkdtempSync(join(tmpdir(), 'lazaret-programs-'))
let few: OpenAdvisories
let bare: OpenAdvisories

before(async () => {
  const records = [
    osvRecord('GO-2023-1840', 'Go', 'stdlib', '1.19.10'),
    osvRecord('GO-2024-2963', 'Go', 'stdlib', '1.22.5'),
    osvRecord('GO-2020-0018', 'Go', 'github.com/satori/go.uuid', '1.2.1-0.20180404165556-75cca531ea76'),
    osvRecord('GO-2021-0113', 'Go', 'golang.org/x/text', '0.3.7'),
    osvRecord('GO-9999-0001', 'Go', 'example.com/program', '9.0.0'),
    osvRecord('RUSTSEC-2026-0009', 'crates.io', 'time', '0.3.47'),
    osvRecord('RUSTSEC-9999-0001', 'crates.io', 'lazaret-sample', '9.0.0'),
    osvRecord('BIT-nginx-2023-44487', 'Bitnami', 'nginx', '1.25.3'),
  ]
  few = await databaseOf('few', [writeLines(folder, 'few.jsonl', records)])
  bare = await databaseOf('bare', [writeLines(folder, 'bare.jsonl', [osvRecord('GO-2023-1840', 'Go', 'stdlib', '1.19.10')])])
})
after(() => {
  few.close()
  bare.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the standard library, modules, crates and programs are judged, each by its own records', async () => {
  const evidence = await evidenceOf(
    [
      ['a', loopvar],
      ['b', rustProgram],
      ['opt/nginx', nginx],
    ],
    few,
  )
  assert.deepEqual(
    flawsOf(evidence),
    [
      'GO-2024-2963 stdlib 1.22.1 affected',
      'GO-9999-0001 example.com/program (devel) unknown-version',
      'RUSTSEC-2026-0009 time 0.3.20 affected',
      'BIT-nginx-2023-44487 nginx 1.22.1 affected',
    ].sort(),
  )
})

test('a finding says what an image does not tell', async () => {
  const { findings } = await evidenceOf(
    [
      ['a', loopvar],
      ['b', rustProgram],
      ['opt/nginx', nginx],
    ],
    few,
  )
  const caveats = Object.fromEntries(findings.map(({ ecosystem, caveat }) => [ecosystem, caveat ?? '']))
  assert.match(caveats['Go'] ?? '', /whether the program calls what is flawed in it is not known/)
  assert.match(caveats['Bitnami'] ?? '', /whoever built it/)
  assert.equal(caveats['crates.io'], '')
})

test('a later pseudo-version than the fix is not affected, and GOEXPERIMENT hides no flaw of the standard library', async () => {
  const evidence = await evidenceOf([['a', loopvar]], few)
  const ids = evidence.findings.map(({ id }) => id)
  assert.ok(!ids.includes('GO-2020-0018'))
  assert.ok(!ids.includes('GO-2021-0113'), 'what replaced it is the fixed version')
  assert.ok(ids.includes('GO-2024-2963'))
})

test('a program that no records speak of is named with its version, and so is one whose records are lacking', async () => {
  const evidence = await evidenceOf(
    [
      ['opt/openssl', openssl],
      ['opt/nginx', nginx],
    ],
    bare,
  )
  assert.deepEqual(notesOf(evidence), [
    'unsupported-component: openssl 3.0.10 (/opt/openssl), of which no advisories here speak',
    'unsupported-component: nginx 1.22.1 (/opt/nginx), of which no advisories here speak',
  ])
})

test('a program that a distribution package owns is that package, and its modules are judged by the distribution', async () => {
  const status = ['nginx', 'gotool'].map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1.22.1-9\n`).join('\n')
  const members: Member[] = [
    ['var/lib/dpkg/status', status],
    ['var/lib/dpkg/info/nginx.list', '/usr/sbin/nginx\n'],
    ['var/lib/dpkg/info/gotool.list', '/usr/bin/gotool\n'],
    ['usr/sbin/nginx', nginx],
    ['usr/bin/gotool', goProgram],
  ]
  const owned = await evidenceOf(members, few)
  assert.deepEqual(
    owned.packages.filter(({ kind }) => kind === 'program'),
    [],
  )
  assert.deepEqual(new Set(owned.packages.filter(({ kind }) => kind === 'golang').map(({ ownedBy }) => ownedBy)), new Set(['gotool']))
  assert.deepEqual(flawsOf(owned), [])
  const replaced = await evidenceOf(members, few, [['usr/sbin/nginx', elfWith('\0nginx version: nginx/1.20.0\0')]])
  assert.deepEqual(flawsOf(replaced), ['BIT-nginx-2023-44487 nginx 1.20.0 affected'])
})

test('what Bitnami documents counts once', async () => {
  const document = JSON.stringify({ packages: [{ externalRefs: [{ referenceLocator: 'pkg:bitnami/nginx@1.22.1-3?arch=amd64' }] }] })
  const evidence = await evidenceOf(
    [
      ['opt/bitnami/nginx/.spdx-nginx.spdx', document],
      ['opt/bitnami/.bitnami_components.json', '{"nginx":{"version":"1.22.1-3"}}'],
      ['opt/bitnami/nginx/sbin/nginx', nginx],
    ],
    few,
  )
  assert.deepEqual(
    evidence.packages.map(({ purl }) => purl),
    ['pkg:bitnami/nginx@1.22.1-3'],
  )
  assert.deepEqual(flawsOf(evidence), ['BIT-nginx-2023-44487 nginx 1.22.1-3 affected'])
})

test('public records of Go, Rust and Bitnami, imported as they are', { skip: withoutShared }, async () => {
  const files = ['govulndb', 'rustsec', 'bitnami'].map((name) => join(sharedAdvisories, `${name}.osv.jsonl.zst`))
  const advisories = await databaseOf('public', files)
  try {
    const evidence = await evidenceOf(
      [
        ['a', goProgram],
        ['b', rustProgram],
        ['opt/nginx', nginx],
      ],
      advisories,
    )
    const found = new Set(evidence.findings.map(({ ids, packageName }) => ids.map((id) => `${packageName} ${id}`)).flat())
    const expected = [
      'stdlib CVE-2022-27664',
      'stdlib CVE-2025-22871',
      'golang.org/x/text CVE-2020-14040',
      'golang.org/x/text CVE-2021-38561',
      'golang.org/x/text CVE-2022-32149',
      'time CVE-2026-25727',
      'nginx CVE-2023-44487',
    ]
    const never = ['stdlib CVE-2021-27919', 'stdlib CVE-2022-23772', 'time CVE-2020-26235', 'nginx CVE-2021-23017', 'itoa']
    for (const line of expected) assert.ok(found.has(line), line)
    for (const line of never) assert.ok(![...found].some((some) => some.startsWith(line)), line)
    assert.deepEqual(evidence.doubts, [])
  } finally {
    advisories.close()
  }
})

async function databaseOf(name: string, files: string[]): Promise<OpenAdvisories> {
  const at = join(folder, name)
  await importAdvisories(files, at, { bundled: false })
  return openAdvisories(at)
}

async function evidenceOf(members: Member[], advisories: OpenAdvisories, upper?: Member[]): Promise<Evidence> {
  const layers = await Promise.all([members, ...(upper === undefined ? [] : [upper])].map(async (some) => await layerOf(some)))
  return assembleEvidence({
    digest,
    kind: 'image',
    layers: layers.map((facts) => ({ state: 'layer', facts })),
    config: { state: 'json' },
    advisories,
    now,
  }).evidence
}

function flawsOf({ findings }: Evidence): string[] {
  return findings.map(({ ids, packageName, packageVersion, state }) => `${ids[0]} ${packageName} ${packageVersion} ${state}`).sort()
}

function notesOf({ doubts }: Evidence): string[] {
  return doubts.map(({ doubt, detail }) => `${doubt}: ${detail}`)
}
