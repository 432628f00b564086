// Each form of advisory data, as JSON and as text, alone and packed.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { documentsIn } from '../../src/advisories/documents.ts'
import { factsIn } from '../../src/advisories/facts.ts'
import { wrongLook } from '../../src/advisories/fetch/looks.ts'
import type { ReadContext } from '../../src/advisories/form.ts'
import { forms } from '../../src/advisories/forms.ts'
import { headBytes, openEnvelope, signedHead, type ManifestFacts } from '../../src/advisories/signed/form.ts'
import { parseTrustedKey, trustedKeyOf } from '../../src/advisories/signed/keys.ts'
import { zipOf } from '../../src/inventory/testing/zips.ts'
import { borne } from './inventory.ts'
import type { Target } from './target.ts'

const osv = {
  schema_version: '1.7.0',
  id: 'GHSA-aaaa-bbbb-cccc',
  modified: '2026-01-01T00:00:00Z',
  aliases: ['CVE-2024-1111'],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  affected: [
    {
      package: { ecosystem: 'npm', name: 'a' },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.0' }] }],
      versions: ['0.1'],
    },
  ],
}

/** A document a form that is written in JSON. */
const documents: readonly object[][] = [
  [osv],
  [
    { lazaretAdvisories: 1, revision: '000007-20261124', date: '2026-11-24T00:00:00Z' },
    { coverage: { ecosystem: 'npm', depth: 'whole', asOf: '2026-01-01T00:00:00Z', note: 'x' } },
    { exploited: 'CVE-2024-1111', addedOn: '2024-01-01' },
    osv,
  ],
  [{ catalogVersion: '1', vulnerabilities: [{ cveID: 'CVE-2024-3094', dateAdded: '2024-03-30' }] }],
  [
    {
      distroversion: 'v3.19',
      reponame: 'main',
      packages: [{ pkg: { name: 'xen', secfixes: { '4.14-r0': ['CVE-2021-28694 XSA-378'], '0': ['CVE-2020-1111'] } } }],
    },
  ],
  [
    {
      'schema-version': '2.0',
      package: { name: 'a' },
      advisories: [
        {
          id: 'CGA-1',
          aliases: ['CVE-2024-1111'],
          events: [{ timestamp: '2024-01-01T00:00:00Z', type: 'fixed', data: { 'fixed-version': '1-r2' } }],
        },
      ],
    },
  ],
  [{ source: 'curl', version: '7.88.1-10+deb12u5', cves: ['CVE-2024-1111'], date: '2024-01-01', release: 'bookworm' }],
  [{ id: 1, cve: ['CVE-2024-1111'], module_name: 'a', patched: '^20.1.1', vulnerable_versions: '<1', overview: 'x' }],
  [
    {
      _file: 'gems/rack/CVE-2022-44570.yml',
      gem: 'rack',
      cve: '2022-44570',
      url: 'u',
      date: '2023-01-18',
      cvss_v3: 7.5,
      patched_versions: ['>= 3.0.4.1', '~> 2.0.9, >= 2.0.9.2'],
    },
  ],
  [
    {
      _file: 'a/b/x.yaml',
      title: 'x',
      cve: 'CVE-2024-1111',
      reference: 'composer://a/b',
      branches: { '1.x': { time: '2024-01-01 00:00:00', versions: ['>=1.0', '<1.5'] } },
    },
  ],
  [
    {
      id: 'aaaa',
      package: 'plug',
      cve: '2024-1',
      disclosure_date: '2024-01-01',
      patched_versions: ['>= 1.0'],
      vulnerable_version_ranges: ['>= 0.1.0, < 1.0.0'],
      title: 'x',
    },
  ],
  [
    {
      curl: {
        'CVE-2024-1111': {
          description: 'x',
          scope: 'remote',
          releases: {
            bookworm: { status: 'resolved', fixed_version: '7.88.1-10', urgency: 'low' },
            trixie: { status: 'open', urgency: 'unimportant' },
          },
        },
      },
    },
  ],
]

const texts = [
  '[01 Feb 2024] DSA-5612-1 curl - security update\n\t{CVE-2024-1111 CVE-2024-2222}\n\t[bookworm] - curl 7.88.1-10+deb12u5\n\t[bullseye] - curl <not-affected> (x)\n\tNOTE: x\n',
  '#model_version:v2025.03.14,score_date:2026-10-01T12:00:00Z\ncve,epss,percentile\nCVE-2024-1111,0.5,0.9\n',
  '# as of 2026-01-01\nd5ce1d0e00000000000000000000000000000000 commons-lang commons-lang 2.6\n',
]

/** Throws where a form has no document here that it knows. */
export function advisoryTargets(): Target[] {
  for (const { name, recognises } of forms)
    assert.ok(
      documents.some(([first]) => forms.find((form) => form.recognises(first))?.recognises === recognises),
      `the form ${name} has no document in scripts/fuzz/advisories.ts`,
    )
  const lines = documents.map((values) => Buffer.from(values.map((value) => JSON.stringify(value)).join('\n')))
  const laid = documents.flatMap((values) => (values.length > 1 ? [] : [Buffer.from(JSON.stringify(values[0], null, 1))]))
  const plain = [...lines, ...laid, ...texts.map((text) => Buffer.from(text))]
  const packed = plain.slice(0, 4).flatMap((bytes) => [
    gzipSync(bytes),
    zstdCompressSync(bytes),
    zipOf([
      ['a.json', bytes],
      ['b/c.json', bytes, 'stored'],
    ]),
  ])
  return [
    ...plain.map((sample, at) => ({ name: `advisories: document ${at + 1}`, samples: [sample], run: readsDocument })),
    { name: 'advisories: packed', samples: packed, run: readsDocument },
    ...fetchedTargets(plain),
    ...signedTargets(),
  ]
}

/** What a server sent, by its first bytes. */
function fetchedTargets(plain: Buffer[]): Target[] {
  const looks = ['zip', 'json', 'gzip or csv', 'list'] as const
  const samples = [...plain, zipOf([['a.json', Buffer.from('{}')]]), gzipSync('cve,epss'), Buffer.from('2026-01-01T00:00:00Z,npm/a')]
  return [
    {
      name: 'advisories: first bytes',
      samples,
      run: borne((bytes) => looks.filter((look) => wrongLook(look, bytes, null) === undefined).length + 1),
    },
  ]
}

/** An export that is signed, and the keys that operators write. */
function signedTargets(): Target[] {
  const pair = generateKeyPairSync('ed25519')
  const key = trustedKeyOf(pair.publicKey)
  const bytesOf = { sizeBytes: 3, sha256: '0'.repeat(64) }
  const facts: ManifestFacts = {
    revision: '000007-20261124',
    date: '2026-11-24T00:00:00Z',
    createdAt: '2026-11-24T12:00:00Z',
    schema: 1,
    records: 1,
    withdrawn: 0,
    exploited: 0,
    sources: [{ source: 'OSV', records: 1, newest: '2026-11-24T00:00:00Z' }],
    database: bytesOf,
    packed: bytesOf,
  }
  return [
    {
      name: 'advisories: signed head',
      samples: [signedHead(facts, pair).subarray(headBytes)],
      run: borne((bytes) => openEnvelope(bytes, [key]).manifest.records),
    },
    { name: 'advisories: trusted key', samples: [Buffer.from(key.text)], run: borne((bytes) => parseTrustedKey(bytes.toString('utf8'))) },
  ]
}

const now = new Date('2026-11-24T12:00:00Z')
const context: ReadContext = { now, asOf: '2026-10-01T00:00:00Z', drop: () => undefined }

async function readsDocument(bytes: Buffer): Promise<number> {
  let said = 0
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-fuzz-'))
  try {
    const path = join(folder, 'given.json')
    writeFileSync(path, bytes)
    await borne(async () => {
      for await (const document of documentsIn([path]))
        for await (const fact of factsIn(document, context, () => {})) {
          checkFact(fact)
          said++
        }
    })(bytes)
    return said
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkFact(fact: { kind: string }): void {
  const text = JSON.stringify(fact)
  if (!text.isWellFormed()) throw new TypeError('an advisory that can not be stored')
}
