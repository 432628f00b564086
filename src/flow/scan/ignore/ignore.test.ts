import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../../../kit/errors.ts'
import { findingOf, placeOf } from '../findings.testing.ts'
import type { PlacedFinding } from '../places.ts'
import { ignoreRules } from './files.ts'
import { grypeRules } from './grype.ts'
import { lazaretRules } from './lazaret.ts'
import { osvRules } from './osv.ts'
import { applyIgnores, type IgnoreRule } from './rule.ts'
import { trivyRules, trivyYamlRules } from './trivy.ts'

const now = new Date('2026-11-24T10:00:00Z')

const minimist = findingOf({ ids: ['CVE-2021-44906', 'GHSA-xvch-5gv4-984h'], fixedVersion: '1.2.6' })
const openssl = findingOf({
  id: 'CVE-2024-1',
  ids: ['CVE-2024-1', 'DSA-1'],
  ecosystem: 'Debian:12',
  packageName: 'openssl',
  packageVersion: '3.0.11-1',
  places: [
    placeOf({
      kind: 'deb',
      name: 'libssl3',
      version: '3.0.11-1',
      purl: 'pkg:deb/debian/libssl3@3.0.11-1?arch=amd64',
      path: 'var/lib/dpkg/status',
    }),
  ],
})
const twice = findingOf({
  id: 'CVE-2024-2',
  places: [
    placeOf({ path: 'srv/legacy/node_modules/minimist/package.json' }),
    placeOf({ path: 'srv/new/node_modules/minimist/package.json' }),
  ],
})
const malicious = findingOf({ id: 'MAL-2024-1', packageName: 'evil', malicious: true })
const all = [minimist, openssl, twice, malicious]

/** Out: ids that are ignored, and what became of each rule. */
function outcome(rules: IgnoreRule[], findings: PlacedFinding[] = all) {
  const { kept, ignored, uses } = applyIgnores(findings, rules, now)
  return {
    kept: kept.map(({ id }) => id),
    ignored: ignored.map(({ id }) => id),
    uses: uses.map(({ name, use }) => `${name} ${use}`),
    full: uses,
  }
}

describe('.lazaretignore.yaml', () => {
  const rules = (text: string) => lazaretRules(text, '.lazaretignore.yaml')

  test('by any id, name of the package or its source, version, package URL, path', () => {
    const table: [string, string[]][] = [
      ['id: GHSA-xvch-5gv4-984h', ['CVE-2021-44906']],
      ['id: cve-2021-44906', ['CVE-2021-44906']],
      ['id: CVE-2021-44906\n    package: other', []],
      ['package: openssl', ['CVE-2024-1']],
      ['package: libssl3', ['CVE-2024-1']],
      ['package: libssl3\n    version: 3.0.11-1', ['CVE-2024-1']],
      ['package: libssl3\n    version: 3.0.12-1', []],
      ['purls: ["pkg:npm/minimist"]', ['CVE-2021-44906', 'CVE-2024-2']],
      ['purls: ["pkg:npm/minimist@1.2.6"]', []],
      ['purls: ["pkg:deb/debian/libssl3?arch=arm64"]', []],
      ['id: CVE-2024-1\n    paths: ["var/lib/**"]', ['CVE-2024-1']],
      ['id: CVE-2024-1\n    paths: ["/var/lib/dpkg/status"]', ['CVE-2024-1']],
      ['id: CVE-2024-1\n    paths: ["srv/**"]', []],
      ['id: MAL-2024-1', ['MAL-2024-1']],
    ]
    for (const [fields, wanted] of table) {
      const { ignored, uses } = outcome(rules(`ignore:\n  - ${fields}\n    reason: known`))
      assert.deepEqual(ignored, wanted, fields)
      assert.match(uses[0] ?? '', wanted.length > 0 ? / used$/ : / not used$/)
    }
  })

  test('a finding that is ignored in one place stays with its others', () => {
    const { kept, ignored } = applyIgnores([twice], rules('ignore: [{id: CVE-2024-2, paths: ["srv/legacy/**"], reason: old}]'), now)
    assert.deepEqual(
      kept[0]?.places.map(({ path }) => path),
      ['srv/new/node_modules/minimist/package.json'],
    )
    assert.deepEqual(
      ignored[0]?.places.map(({ path }) => path),
      ['srv/legacy/node_modules/minimist/package.json'],
    )
    assert.deepEqual(ignored[0]?.ignoredBy, { file: '.lazaretignore.yaml', name: 'CVE-2024-2', reason: 'old' })
  })

  test('a malicious package is ignored by its id alone', () => {
    assert.deepEqual(outcome(rules('ignore: [{package: evil, reason: no}]')).ignored, [])
  })

  test('from its day on a rule ignores nothing, and says so', () => {
    const at = (expires: string) => outcome(rules(`ignore: [{id: CVE-2024-1, reason: r, expires: ${expires}}]`))
    assert.deepEqual(at('2026-11-25').ignored, ['CVE-2024-1'])
    for (const past of ['2026-11-24', '2020-01-01', '2026-11-24T09:59:59Z']) {
      assert.deepEqual(at(past).ignored, [], past)
      assert.deepEqual(at(past).uses, ['CVE-2024-1 expired'])
    }
  })

  test('what is wrong is said with its place, and nothing of the file is used', () => {
    const table: [string, RegExp][] = [
      ['ignore: [{id: CVE-1}]', /ignore\[0\]: says no reason/],
      ['ignore: [{reason: r}]', /ignore\[0\]: names no id/],
      ['ignore: [{id: CVE-1, reason: r, until: 2026-01-01}]', /"until" is not known here/],
      ['ignore: [{id: CVE-1, reason: r, expires: soon}]', /ignore\[0\]\.expires: is no day/],
      ['ignore: [{id: CVE-1, reason: r, expires: 2026-02-30}]', /is no day/],
      ['ignore: [{purls: [minimist], reason: r}]', /is no package URL/],
      ['ignore: [{id: 7, reason: r}]', /id: is no text/],
      ['ignore: everything', /is no list/],
      ['- id: CVE-1', /is no mapping/],
      ['ignore: [', /at line 1/],
      ['ignore: []\nignore: []', /unique/],
    ]
    for (const [text, wanted] of table)
      assert.throws(
        () => rules(text),
        (error) => error instanceof LazaretError && error.code === 'SETTING_INVALID' && wanted.test(error.message),
        text,
      )
    assert.deepEqual(rules(''), [])
    assert.throws(
      () =>
        rules(
          `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
            .split('')
            .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[at]}`).join()}]`)
            .join('\n')}`,
        ),
      LazaretError,
    )
  })
})

describe('.trivyignore', () => {
  const rules = (text: string) => trivyRules(text, '.trivyignore')

  test('ids, expiry, comments; each line is used or named', () => {
    const text =
      '# not reachable\nCVE-2021-44906\n\nDSA-1 exp:2026-12-31 # until the next release\nCVE-2024-2 exp:2026-01-01\nCVE-1999-1\nAVD-DS-0002\naws-access-key\n'
    const { ignored, full } = outcome(rules(text))
    assert.deepEqual(ignored, ['CVE-2021-44906', 'CVE-2024-1'])
    assert.deepEqual(
      full.map(({ name, use, reason, detail }) => [name, use, reason ?? detail]),
      [
        ['CVE-2021-44906', 'used', 'not reachable'],
        ['DSA-1', 'used', 'until the next release'],
        ['CVE-2024-2', 'expired', 'since 2026-01-01'],
        ['CVE-1999-1', 'not used', 'nothing that was found is what it says'],
        ['AVD-DS-0002', 'not used', 'it is not about a known flaw, and nothing else is looked for here'],
        ['aws-access-key', 'not used', 'it is not about a known flaw, and nothing else is looked for here'],
      ],
    )
  })

  test('a line that is not understood is an error with its number', () => {
    assert.throws(() => rules('CVE-1\nCVE-2 exp:tomorrow'), /\.trivyignore: line 2: is no day/)
    assert.throws(() => rules('CVE-1 CVE-2'), /line 1: "CVE-2" is not known here/)
  })

  test('.trivyignore.yaml: paths, package URLs, statement, expiry; what is about something else is named', () => {
    const text = `
vulnerabilities:
  - id: CVE-2024-2
    paths: ["srv/legacy/node_modules/minimist/package.json"]
    statement: old
  - id: CVE-2024-1
    purls: ["pkg:deb/debian/libssl3"]
    expired_at: 2027-01-01
  - id: CVE-2021-44906
    expired_at: 2026-01-01
misconfigurations:
  - id: AVD-DS-0001
secrets:
licenses:
  - id: GPL-3.0
`
    const { kept, ignored, uses } = outcome(trivyYamlRules(text, '.trivyignore.yaml'))
    assert.deepEqual(ignored, ['CVE-2024-1', 'CVE-2024-2'])
    assert.deepEqual(kept, ['CVE-2021-44906', 'CVE-2024-2', 'MAL-2024-1'])
    assert.deepEqual(uses, ['CVE-2024-2 used', 'CVE-2024-1 used', 'CVE-2021-44906 expired', 'AVD-DS-0001 not used', 'GPL-3.0 not used'])
    assert.throws(() => trivyYamlRules('vulnerabilities: [{paths: [a]}]', 'f'), /names no id/)
    assert.throws(() => trivyYamlRules('vulnerability: []', 'f'), /"vulnerability" is not known/)
  })
})

describe('.grype.yaml', () => {
  const rules = (rule: string) => grypeRules(`fail-on-severity: high\nignore:\n  - ${rule}`, '.grype.yaml')

  test('a rule holds where all its criteria do', () => {
    const table: [string, string[]][] = [
      ['vulnerability: CVE-2021-44906', ['CVE-2021-44906']],
      ['vulnerability: GHSA-xvch-5gv4-984h', []],
      ['{vulnerability: GHSA-xvch-5gv4-984h, include-aliases: true}', ['CVE-2021-44906']],
      ['{vulnerability: CVE-2021-44906, fix-state: fixed}', ['CVE-2021-44906']],
      ['{vulnerability: CVE-2021-44906, fix-state: wont-fix}', []],
      ['fix-state: unknown', ['CVE-2024-1', 'CVE-2024-2', 'MAL-2024-1']],
      ['package: {name: libssl3}', ['CVE-2024-1']],
      ['package: {name: "lib.*"}', ['CVE-2024-1']],
      ['package: {name: "lib(ssl|x)?3"}', ['CVE-2024-1']],
      ['package: {upstream-name: openssl, type: deb}', ['CVE-2024-1']],
      ['package: {name: minimist, version: 1.2.5, type: npm}', ['CVE-2021-44906', 'CVE-2024-2']],
      ['package: {name: minimist, type: python}', []],
      ['package: {location: "/srv/**"}', ['CVE-2024-2']],
    ]
    for (const [rule, wanted] of table) assert.deepEqual(outcome(rules(rule)).ignored, wanted, rule)
  })

  test('what can not be told here ignores nothing, and is named', () => {
    for (const rule of [
      '{vulnerability: CVE-2021-44906, namespace: "debian:12"}',
      'vex-status: not_affected',
      'match-type: cpe-match',
      'package: {language: go}',
      '{reason: nothing}',
      'package: {name: "(a+)+"}',
      'package: {name: "a.*.*.*.*"}',
      'package: {name: "a["}',
    ]) {
      const { ignored, full } = outcome(rules(rule))
      assert.deepEqual(ignored, [], rule)
      assert.equal(full[0]?.use, 'not used')
      assert.notEqual(full[0].detail, 'nothing that was found is what it says', rule)
    }
    assert.throws(() => rules('{vulnerabilty: CVE-1}'), /"vulnerabilty" is not known/)
    assert.throws(() => grypeRules('[]', 'f'), /is no mapping/)
  })

  test('no pattern makes a scan wait', () => {
    const patterns = fc.stringMatching(/^[a-c.*+?()|[\]{}0-9\\^$-]{1,30}$/)
    const long = findingOf({ packageName: 'a'.repeat(256) })
    fc.assert(
      fc.property(patterns, (pattern) => {
        const begin = performance.now()
        outcome(grypeRules(JSON.stringify({ ignore: [{ package: { name: pattern } }] }), 'f'), [long])
        assert.ok(performance.now() - begin < 2000, pattern)
      }),
      { numRuns: 500 },
    )
  })
})

describe('osv-scanner.toml', () => {
  const rules = (text: string) => osvRules(text, 'osv-scanner.toml')

  test('flaws until a day, and packages whose flaws are passed over', () => {
    const text = `
[[IgnoredVulns]]
id = "GHSA-xvch-5gv4-984h"
ignoreUntil = 2026-12-31 # a day
reason = "not reachable"

[[IgnoredVulns]]
id = 'CVE-2024-2'
ignoreUntil = 2022-11-09T00:00:00Z

[[PackageOverrides]]
name = "openssl"
ecosystem = "Debian"
vulnerability.ignore = true
effectiveUntil = 2027-01-01
reason = """
it is
not linked"""

[[PackageOverrides]]
name = "minimist"
license.override = ["MIT"]

[[PackageOverrides]]
name = "evil"
ignore = true
`
    const { ignored, full } = outcome(rules(text))
    assert.deepEqual(ignored, ['CVE-2021-44906', 'CVE-2024-1'])
    assert.deepEqual(
      full.map(({ name, use, reason }) => [name, use, reason]),
      [
        ['GHSA-xvch-5gv4-984h', 'used', 'not reachable'],
        ['CVE-2024-2', 'expired', undefined],
        ['openssl', 'used', 'it is\nnot linked'],
        ['minimist', 'not used', undefined],
        ['evil', 'not used', undefined],
      ],
    )
  })

  test('a file that is not understood is an error with its line', () => {
    assert.throws(() => rules('[[IgnoredVulns]]\nid = CVE-1'), /osv-scanner\.toml: line 2: "CVE-1" is no value/)
    assert.throws(() => rules('[[IgnoredVulns]]\nid = "a" "b"'), /line 2: there is more on the line/)
    assert.throws(() => rules('[[IgnoredVulns]]\nid = "a"\nid = "b"'), /line 3: "id" stands twice/)
    assert.throws(() => rules('[[IgnoredVuln]]\nid = "a"'), /"IgnoredVuln" is not known here/)
    assert.throws(() => rules('[[IgnoredVulns]]\nreason = "x"'), /IgnoredVulns\[0\]: names no id/)
  })
})

describe('the files of a folder', () => {
  let folder: string
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'lazaret-test-ignore-'))))
  after(async () => await rm(folder, { recursive: true }))

  test('those that lie there are read, or those that are named', async () => {
    assert.deepEqual(await ignoreRules(folder, []), [])
    await writeFile(join(folder, '.trivyignore'), 'CVE-1\n')
    await writeFile(join(folder, 'osv-scanner.toml'), '\uFEFF[[IgnoredVulns]]\nid = "CVE-2"\n')
    await writeFile(join(folder, 'team.lazaretignore.yaml'), 'ignore: [{id: CVE-3, reason: r}]\n')
    assert.deepEqual(
      (await ignoreRules(folder, [])).map(({ file, name }) => [file, name]),
      [
        ['.trivyignore', 'CVE-1'],
        ['osv-scanner.toml', 'CVE-2'],
      ],
    )
    assert.deepEqual(
      (await ignoreRules(folder, ['team.lazaretignore.yaml'])).map(({ name }) => name),
      ['CVE-3'],
    )
    await assert.rejects(ignoreRules(folder, ['none.trivyignore']), /there is no none\.trivyignore/)
    await assert.rejects(ignoreRules(folder, ['ignored.txt']), /--ignore-file ends in one of/)
  })

  test('a file that is too large, or none at all, is an error', async () => {
    await writeFile(join(folder, 'a.trivyignore'), 'x'.repeat(1024 * 1024 + 1))
    await assert.rejects(ignoreRules(folder, ['a.trivyignore']), /more than 1048576 bytes/)
    await symlink('/dev/zero', join(folder, 'b.trivyignore'))
    await assert.rejects(ignoreRules(folder, ['b.trivyignore']), /is no file/)
    await writeFile(join(folder, 'c.trivyignore'), 'CVE-1\n'.repeat(10_001))
    await assert.rejects(ignoreRules(folder, ['c.trivyignore']), /more than 10000 rules/)
  })
})

test('whatever stands in an ignore file: rules, or an error of the file', () => {
  const readers = [lazaretRules, trivyRules, trivyYamlRules, grypeRules, osvRules]
  const words = fc.constantFrom(
    'ignore:',
    '[[IgnoredVulns]]',
    'id',
    '=',
    '"',
    "'",
    '"""',
    '[',
    ']',
    '{',
    '}',
    ':',
    '- ',
    '\n',
    ' ',
    '#',
    'CVE-1',
    'exp:',
    '2026-01-01',
    '\\u12',
    '&a',
    '*a',
    'reason: r',
    '1e9',
    ',',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 30 }).map((some) => some.join('')),
        fc.string(),
      ),
      (text) => {
        for (const read of readers) {
          try {
            applyIgnores(all, read(text, 'f'), now)
          } catch (error) {
            assert.ok(error instanceof LazaretError, `${read.name}: ${String(error)}`)
          }
        }
      },
    ),
    { numRuns: 2000 },
  )
})
