// Readers of text that is small: ignore files, versions and ranges of versions.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { grypeRules } from '../../src/flow/scan/ignore/grype.ts'
import { lazaretRules } from '../../src/flow/scan/ignore/lazaret.ts'
import { osvRules } from '../../src/flow/scan/ignore/osv.ts'
import { trivyRules, trivyYamlRules } from '../../src/flow/scan/ignore/trivy.ts'
import { isPurl } from '../../src/flow/scan/ignore/patterns.ts'
import { borne } from './inventory.ts'
import { Random } from './random.ts'
import type { Target } from './target.ts'

const versionsFolder = join(import.meta.dirname, '../../src/versions')

const grype =
  'ignore:\n  - vulnerability: CVE-2024-1\n    reason: not reached\n    package:\n      name: a\n      version: "1"\n      type: npm\n'
const lazaret = 'ignore:\n  - id: CVE-2024-1\n    package: a\n    reason: not reached\n    until: 2027-01-01\n'
const osv =
  '[[IgnoredVulns]]\nid = "CVE-2024-1"\nignoreUntil = 2027-01-01\nreason = "x"\n\n[[PackageOverrides]]\nname = "a"\necosystem = "npm"\nignore = true\n'
const trivy = '# a comment\nCVE-2024-1 exp:2027-01-01\nGHSA-xxxx-yyyy-zzzz\n'
const trivyYaml =
  'vulnerabilities:\n  - id: CVE-2024-1\n    paths:\n      - "a/**"\n    purls:\n      - pkg:npm/a\n    expired_at: 2027-01-01\n    statement: x\n'

const place = { kind: 'deb', name: 'a', version: '1-1', purl: 'pkg:deb/debian/a@1-1?arch=amd64', path: 'var/lib/dpkg/status' } as const

/** Every comparison of `src/versions`, found by its name, and the other readers of versions there. */
export async function wordTargets(): Promise<Target[]> {
  const text = (read: (text: string, file: string) => unknown, sample: string, name: string): Target => ({
    name: `ignore file: ${name}`,
    samples: [Buffer.from(sample)],
    run: borne((bytes) => read(bytes.toString('utf8'), name)),
  })
  return [
    text(grypeRules, grype, '.grype.yaml'),
    text(lazaretRules, lazaret, '.lazaret.yaml'),
    text(osvRules, osv, 'osv-scanner.toml'),
    text(trivyRules, trivy, '.trivyignore'),
    text(trivyYamlRules, trivyYaml, '.trivyignore.yaml'),
    {
      name: 'ignore file: package URL',
      samples: [Buffer.from(place.purl), Buffer.from('pkg:npm/%40a/b?c=d#e')],
      run: borne((bytes) => isPurl(place, bytes.toString('utf8'))),
    },
    ...(await versionTargets()),
  ]
}

const versions = [
  '1.0',
  '1:2.36-9+deb12u4',
  '2.0.0-rc.1+build.5',
  '1.2.5-r0',
  '1.0a1.dev2+local.3',
  'v0.0.0-20240101000000-abcdef012345',
  '5.3.20.RELEASE',
  '1.0-SNAPSHOT',
  'dev-main',
  '~1.2 || >=2.0.0 <3 - 4',
  '1.0~beta^git1',
  '',
].map((text) => Buffer.from(text))

const notOfText = new Set([
  'compareNumbers',
  'compareText',
  'compareIdentifierLists',
  'endOfDigits',
  'isDigit',
  'isLower',
  'isLetter',
  'compareDotted',
])

async function versionTargets(): Promise<Target[]> {
  const files = readdirSync(versionsFolder).filter((name) => name.endsWith('.ts') && !/\.(?:test|testing)\.ts$/.test(name))
  const modules = await Promise.all(files.map(async (file) => Object.entries((await import(join(versionsFolder, file))) as object)))
  return modules.flat().flatMap(([name, value]): Target[] => {
    if (typeof value !== 'function' || notOfText.has(name)) return []
    const read = value as (a: string, b: string) => unknown
    const run = name.startsWith('compare') ? comparing(name, read) : (bytes: Buffer) => void read(...twoOf(bytes))
    return [{ name: `versions: ${name}`, samples: versions, run }]
  })
}

/** What is the greater one way round is the smaller the other way round, and all equal themselves or are unknown. */
function comparing(name: string, compare: (a: string, b: string) => unknown): (bytes: Buffer) => void {
  return (bytes) => {
    const [a, b] = twoOf(bytes)
    const [there, back, same] = [compare(a, b), compare(b, a), compare(a, a)]
    const turned = typeof there === 'number' ? -there + 0 : there
    assert.equal(back, turned, `${name} of ${JSON.stringify(a)} and ${JSON.stringify(b)}`)
    assert.ok(same === 0 || same === 'unknown', `${name} of ${JSON.stringify(a)} and itself`)
  }
}

/** The bytes as one text, and another version that they choose. */
function twoOf(bytes: Buffer): [string, string] {
  const random = new Random(bytes.toString('latin1'))
  const [one, other] = [bytes.toString('utf8'), random.of(versions).toString()]
  const at = one.indexOf('\n')
  return at < 0 ? [one, other] : [one.slice(0, at), one.slice(at + 1)]
}
