// `lazaret scan`, `sbom` and `diff` as they are called, over images that lie on this machine.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { writeLayout } from '../../../test/support/content.ts'
import { imageOf, indexOf } from '../../../test/support/images.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { alpineBase, npmApplication } from '../../../test/support/worlds.ts'
import { run } from '../run.ts'

const stack = new AsyncDisposableStack()
let folder = ''
after(() => stack.disposeAsync())

const base = alpineBase([{ name: 'libcrypto3', version: '3.0.7-r0', source: 'openssl' }], '3.17.0')
const at = (name: string) => join(folder, name)

before(async () => {
  folder = await scratch(stack, 'scan')
  const before = await imageOf([base, npmApplication({ minimist: '1.2.5' })])
  const after = await imageOf([base, npmApplication({ minimist: '1.2.5', jquery: '3.4.1' })])
  const fixed = await imageOf([base, npmApplication({ minimist: '1.2.6' })], { config: { User: '0' } })
  await writeLayout(before, at('before'), '1')
  await writeLayout(after, at('after'), '1')
  await writeLayout(fixed, at('fixed'), '1')
  const index = indexOf([
    { content: before, architecture: 'amd64' },
    { content: await imageOf([npmApplication({ minimist: '1.2.6' })], { architecture: 'arm64' }), architecture: 'arm64' },
  ])
  await writeLayout(index, at('index'), '1')
})

interface Outcome {
  code: number
  out: string
  err: string
}

async function lazaret(
  args: string[],
  more: { columns?: number; errColumns?: number; env?: Record<string, string> } = {},
): Promise<Outcome> {
  let [out, err] = ['', '']
  const { env, ...rest } = more
  const code = await run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env: { XDG_CACHE_HOME: at('cache'), LAZARET_DATA: at('none'), DOCKER_CONFIG: at('docker'), ...env },
    cwd: folder,
    stdin: Readable.from([]),
    columns: undefined,
    ...rest,
  })
  return { code, out, err }
}

interface Json {
  digest: string
  findings: { id: string; isNew?: boolean; places: { path: string; layer: number; diffId: string; createdBy: string; purl: string }[] }[]
  ignored: { id: string }[]
  rules: { name: string; use: string }[]
  layers: { number: number; diffId: string; createdBy: string }[]
  remedies: { what: string }[]
}

async function json(args: string[], code = 0): Promise<Json> {
  const outcome = await lazaret([...args, '--format', 'json'])
  assert.equal(outcome.code, code, outcome.err)
  return JSON.parse(outcome.out) as Json
}

describe('scan', () => {
  test('the table fits 80 columns and says which layer brought what; then what fixes the most', async () => {
    const { code, out } = await lazaret(['scan', at('before')])
    assert.equal(code, 0)
    for (const line of out.split('\n').filter((one) => !one.includes(folder))) assert.ok([...line].length <= 80, line)
    assert.match(out, /^Alpine Linux v3\.17, 2 packages, \d+ critical, /m)
    assert.match(out, /^SEVERITY +ID +PACKAGE +VERSION +FIXED IN +LAYER$/m)
    assert.match(out, /^critical +CVE-2021-44906 +minimist +1\.2\.5 +1\.2\.6 +2$/m)
    assert.match(out, /^high .* openssl +3\.0\.7-r0 +3\.0\.\d+-r\d+ +1$/m)
    assert.match(out, /^LAYER +BROUGHT BY\n1 +COPY part-0 \/\n2 +COPY part-1 \/$/m)
    assert.match(out, /^1\. apk upgrade of 1 package fixes \d+ \(.*\)$[^]*^ {3}\$ apk upgrade --no-cache libcrypto3$/m)
    assert.match(out, /^\d\. npm: minimist 1\.2\.5 to 1\.2\.6 in \/app fixes 1 \(1 critical\)$/m)
    assert.match(out, /^or rebuild on a newer alpine:3\.17 \(layer 1\) fixes \d+ \(.*\)$/m)
    assert.doesNotMatch(out, /\u001B/)
  })

  test('colours and an end of the rows on a terminal alone; a bar on the terminal of errors alone', async () => {
    const on = await lazaret(['scan', at('before')], { columns: 80, errColumns: 80 })
    assert.match(on.out, /^\u001B\[1;31mcritical\u001B\[0m +CVE-2021-44906/m)
    assert.match(on.err, /\r\u001B\[K\[[#.]{20}\] layer 1 of 2, /)
    assert.ok(on.err.endsWith('\r\u001B[K'), JSON.stringify(on.err))
    const plain = await lazaret(['scan', at('before')], { columns: 80, env: { NO_COLOR: '1' } })
    assert.doesNotMatch(plain.out, /\u001B/)
    assert.equal(plain.err, '')
    assert.equal((await lazaret(['scan', at('before'), '--quiet'], { columns: 80, errColumns: 80 })).err, '')
  })

  test('JSON says of each finding the layer, its diffID, the instruction and the path', async () => {
    const { findings, layers, remedies } = await json(['scan', at('before')])
    const minimist = findings.find(({ id }) => id === 'CVE-2021-44906')
    assert.deepEqual(minimist?.places, [
      {
        kind: 'npm',
        name: 'minimist',
        version: '1.2.5',
        purl: 'pkg:npm/minimist@1.2.5',
        path: 'app/node_modules/minimist/package.json',
        layer: 2,
        diffId: layers[1]?.diffId,
        createdBy: 'COPY part-1 /',
      },
    ])
    assert.ok(findings.every(({ places }) => places.length > 0))
    assert.match(layers[0]?.diffId ?? '', /^sha256:[0-9a-f]{64}$/)
    assert.ok(remedies.length >= 3)
  })

  test('--fail-on: 3 from that severity on; wrong words are 2', async () => {
    assert.equal((await lazaret(['scan', at('before'), '--fail-on', 'critical'])).code, 3)
    assert.equal((await lazaret(['scan', at('fixed'), '--fail-on', 'unknown'])).code, 3)
    for (const args of [
      ['--fail-on', 'grave'],
      ['--fail-on', 'new:high'],
      ['--format', 'xml'],
      ['--platform', 'amd64'],
      ['--no-ignore', '--ignore-file', '.trivyignore'],
    ])
      assert.equal((await lazaret(['scan', at('before'), ...args])).code, 2, args.join(' '))
    assert.equal((await lazaret(['scan'])).code, 2)
  })

  test('ignore files of the folder are heeded, and what they do is said; a server would know of none', async () => {
    await writeFile(at('.trivyignore'), '# not reachable\nCVE-2021-44906\nCVE-1999-0001\nCVE-2020-1 exp:2020-01-01\n')
    try {
      const table = await lazaret(['scan', at('before'), '--policy', 'balanced'])
      assert.equal(table.code, 3)
      assert.match(table.out, /policy balanced: deny\n {2}critical-with-fix: CVE-2021-44906/)
      assert.doesNotMatch(table.out, /critical +CVE-2021-44906/)
      assert.match(table.out, /^ignored: 1 by \.trivyignore$/m)
      assert.equal(
        table.err,
        'lazaret: .trivyignore: CVE-1999-0001 is not used: nothing that was found is what it says\nlazaret: .trivyignore: CVE-2020-1 is expired: since 2020-01-01\n',
      )
      const { ignored, rules, findings } = await json(['scan', at('before')])
      assert.deepEqual(
        ignored.map(({ id }) => id),
        ['CVE-2021-44906'],
      )
      assert.deepEqual(
        rules.map(({ use }) => use),
        ['used', 'not used', 'expired'],
      )
      assert.ok(!findings.some(({ id }) => id === 'CVE-2021-44906'))
      assert.equal((await json(['scan', at('before'), '--no-ignore'])).ignored.length, 0)
      const sarif = JSON.parse((await lazaret(['scan', at('before'), '--format', 'sarif'])).out) as {
        runs: { results: { suppressions?: object[] }[] }[]
      }
      assert.equal(sarif.runs[0]?.results.filter(({ suppressions }) => suppressions !== undefined).length, 1)
      await writeFile(at('.trivyignore'), 'CVE-1 exp:whenever\n')
      const broken = await lazaret(['scan', at('before')])
      assert.deepEqual([broken.code, broken.out], [1, ''])
      assert.match(broken.err, /\.trivyignore: line 1: is no day/)
    } finally {
      await writeFile(at('.trivyignore'), '')
    }
  })

  test('--baseline: what the change brought fails, and what was there does not, by a scan and by an SBOM', async () => {
    await writeFile(at('before.json'), (await lazaret(['scan', at('before'), '--format', 'json'])).out)
    await writeFile(at('before.spdx.json'), (await lazaret(['sbom', at('before'), '--format', 'spdx'])).out)
    for (const baseline of ['before.json', 'before.spdx.json']) {
      const compared = ['--baseline', at(baseline), '--fail-on', 'new:low']
      assert.equal((await lazaret(['scan', at('before'), ...compared])).code, 0)
      assert.equal((await lazaret(['scan', at('fixed'), ...compared])).code, 0)
      assert.equal((await lazaret(['scan', at('after'), ...compared])).code, 3)
      const { findings } = await json(['scan', at('after'), '--baseline', at(baseline)])
      const fresh = findings.filter(({ isNew }) => isNew)
      assert.ok(fresh.length > 0 && fresh.every(({ places }) => places[0]?.purl === 'pkg:npm/jquery@3.4.1'), JSON.stringify(fresh))
    }
    // An advisory that nobody knew when the baseline was made is no news of the change.
    const old = JSON.parse(await readFile(at('before.json'), 'utf8')) as object
    await writeFile(at('old.json'), JSON.stringify({ ...old, findings: [] }))
    assert.equal((await lazaret(['scan', at('before'), '--baseline', at('old.json'), '--fail-on', 'new:unknown'])).code, 0)
  })

  test('a baseline that can not be read is an error, never an empty one', async () => {
    await writeFile(
      at('broken.json'),
      '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a","purl":"x"}]}',
    )
    for (const [file, wanted] of [
      ['broken.json', /is no package URL/],
      ['none.json', /there is no/],
      ['before/index.json', /is JSON, but no SBOM/],
    ] as const) {
      const { code, err } = await lazaret(['scan', at('before'), '--baseline', at(file), '--fail-on', 'new:high'])
      assert.equal(code, 1)
      assert.match(err, wanted)
    }
  })

  test('--platform chooses, and is an error where there is none such', async () => {
    assert.equal((await lazaret(['scan', at('index'), '--platform', 'linux/arm64', '--fail-on', 'critical'])).code, 0)
    assert.equal((await lazaret(['scan', at('index'), '--platform', 'linux/amd64', '--fail-on', 'critical'])).code, 3)
    const { code, err } = await lazaret(['scan', at('index'), '--platform', 'linux/s390x'])
    assert.equal(code, 1)
    assert.match(err, /has no image for linux\/s390x; it has linux\/amd64, linux\/arm64/)
  })

  test('an image that can not be read whole is 1, after what was read', async () => {
    const whole = await imageOf([base, npmApplication({ minimist: '1.2.5' })], { packing: 'none' })
    await writeLayout(whole, at('cut'), '1')
    const [layer] = [...whole.blobs.keys()].slice(1)
    await writeFile(join(at('cut'), 'blobs', 'sha256', layer?.slice(7) ?? ''), 'not a tar')
    const { code, out } = await lazaret(['scan', at('cut'), '--fail-on', 'critical'])
    assert.equal(code, 1)
    assert.match(out, /^unreadable: layer 1 of 2/m)
    assert.match(out, /CVE-2021-44906/)
  })
})

test('what sbom writes, scan reads, with the same findings', async () => {
  const ids = (found: Json) => found.findings.map(({ id }) => id)
  const wanted = ids(await json(['scan', at('before')]))
  assert.ok(wanted.length > 1)
  for (const format of ['cyclonedx', 'spdx']) {
    await writeFile(at(`${format}.json`), (await lazaret(['sbom', at('before'), '--format', format])).out)
    assert.deepEqual(ids(await json(['scan', at(`${format}.json`)])), wanted, format)
  }
  const { out } = await lazaret(['scan', at('before'), '--format', 'cyclonedx'])
  assert.equal(out, await readFile(at('cyclonedx.json'), 'utf8'))
})

describe('diff', () => {
  interface Diff {
    layers: { same: number }
    packages: Record<'added' | 'removed' | 'changed', unknown[]>
    findings: { added: { id: string }[]; removed: { id: string }[] }
    files: { total: object }
    config?: unknown
  }
  const diff = async (...args: string[]) => JSON.parse((await lazaret(['diff', ...args, '--format', 'json'])).out) as Diff

  test('packages, findings, files and config that differ', async () => {
    const found = await diff(at('before'), at('fixed'))
    assert.equal(found.layers.same, 1)
    assert.deepEqual(found.packages, {
      added: [],
      removed: [],
      changed: [
        { from: { kind: 'npm', name: 'minimist', versions: ['1.2.5'] }, to: { kind: 'npm', name: 'minimist', versions: ['1.2.6'] } },
      ],
    })
    assert.deepEqual([found.findings.added, found.findings.removed.map(({ id }) => id)], [[], ['CVE-2021-44906']])
    assert.deepEqual(found.files.total, { added: 0, removed: 0, changed: 2 })
    assert.deepEqual(found.config, [{ field: 'user', from: '1000:1000', to: '0' }])
    const { out } = await lazaret(['diff', at('before'), at('fixed')])
    assert.match(
      out,
      /^~ +minimist +npm +1\.2\.5 +1\.2\.6$[^]*^- +critical +CVE-2021-44906 [^]*^FILES: 0 added, 0 removed, 2 changed$[^]*^user +1000:1000 +0$/m,
    )
  })

  test('--fail-on asks what B has and A has not', async () => {
    assert.equal((await lazaret(['diff', at('before'), at('after'), '--fail-on', 'low'])).code, 3)
    assert.equal((await lazaret(['diff', at('after'), at('before'), '--fail-on', 'low'])).code, 0)
    assert.equal((await lazaret(['diff', at('before'), at('before'), '--fail-on', 'unknown'])).code, 0)
    assert.equal((await lazaret(['diff', at('before')])).code, 2)
  })

  test('of an SBOM nothing is said of files and config; the same is the same', async () => {
    await writeFile(at('kept.json'), (await lazaret(['scan', at('before'), '--format', 'json'])).out)
    const { code, out } = await lazaret(['diff', at('kept.json'), at('before')])
    assert.equal(code, 0)
    assert.match(out, /^Nothing else differs\.$/m)
    assert.equal((await diff(at('kept.json'), at('after'))).files, undefined)
  })
})
