// Other scanners read our documents with the same packages. They take long to build, so that they are not among the tools that tests need.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { PackageURL } from 'packageurl-js'
import { writeLayout } from '../../../test/support/content.ts'
import { imageOf } from '../../../test/support/images.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { findTool } from '../../../test/support/tools.ts'
import { alpineBase, debianBase, npmApplication } from '../../../test/support/worlds.ts'
import { run } from '../run.ts'

const grype = findTool('grype')
const trivy = findTool('trivy')
const withoutTrivy = trivy === undefined && 'Trivy is not here: docs/comparison.md says how it is built'
const skip = grype === undefined && 'Grype is not here: go install github.com/anchore/grype/cmd/grype@v0.121.2'
const stack = new AsyncDisposableStack()
let folder = ''
before(async () => void (folder = await scratch(stack, 'peers')))
after(() => stack.disposeAsync())

const application = npmApplication({ minimist: '1.2.5', jquery: '3.4.1' })
const worlds = {
  'debian 12': [
    debianBase([
      { name: 'libssl3', version: '3.0.11-1+deb12u2', source: 'openssl' },
      { name: 'tzdata', version: '2024a-0' },
    ]),
    application,
  ],
  'alpine 3.17.0': [alpineBase([{ name: 'libcrypto3', version: '3.0.7-r0', source: 'openssl' }], '3.17.0'), application],
}

for (const [distribution, layers] of Object.entries(worlds)) {
  for (const format of ['cyclonedx', 'spdx']) {
    test(`Grype reads ${format} of ${distribution} with the same packages`, { skip }, async () => {
      const image = await writeLayout(await imageOf(layers), join(folder, crypto.randomUUID()), '1')
      const text = await sbomOf(image, format)
      const urls = new Set(text.match(/(?:"purl"|"referenceLocator"): "pkg:(?:deb|apk|npm)\/[^"]*"/g))
      assert.ok(urls.size >= 3, text)
      const path = join(folder, `${crypto.randomUUID()}.json`)
      await writeFile(path, text)
      const { gathered, distro } = await readByGrype(path)
      // In SPDX it takes the operating system for a package too.
      assert.equal(gathered, urls.size + (format === 'spdx' ? 1 : 0))
      if (format === 'cyclonedx') assert.equal(distro, distribution)
    })
  }
}

for (const [distribution, layers] of Object.entries(worlds)) {
  test(`Trivy reads cyclonedx of ${distribution} with the same packages`, { skip: withoutTrivy }, async () => {
    const image = await writeLayout(await imageOf(layers), join(folder, crypto.randomUUID()), '1')
    const text = await sbomOf(image, 'cyclonedx')
    const path = join(folder, `${crypto.randomUUID()}.json`)
    await writeFile(path, text)
    const ours = purlsIn(text)
    assert.ok(ours.length >= 3, text)
    assert.deepEqual(purlsIn(await rewrittenByTrivy(path)), ours)
  })
}

/** It writes what it has read, for which it wants no database. */
async function rewrittenByTrivy(path: string): Promise<string> {
  const rest = ['--format', 'cyclonedx', '--offline-scan', '--skip-version-check', '--quiet', '--cache-dir', join(folder, 'trivy')]
  const { stdout } = await promisify(execFile)(trivy ?? '', ['sbom', path, ...rest], { cwd: folder, timeout: 60_000, maxBuffer: 1 << 26 })
  return stdout
}

/** Parsed: one writes a `+` as it is, the other as `%2B`. */
function purlsIn(text: string): string[] {
  const { components } = JSON.parse(text) as { components: { purl?: string }[] }
  return components.flatMap(({ purl }) => (purl === undefined ? [] : [JSON.stringify(PackageURL.fromString(purl))])).toSorted()
}

async function sbomOf(image: string, format: string): Promise<string> {
  let out = ''
  const env = { XDG_CACHE_HOME: join(folder, 'cache'), LAZARET_DATA: join(folder, 'none') }
  const io = {
    out: (text: string) => void (out += text),
    err: () => undefined,
    env,
    cwd: folder,
    stdin: Readable.from([]),
    columns: undefined,
  }
  assert.equal(await run(['sbom', image, '--format', format], io), 0)
  return out
}

/** Without a database it ends with an error, and says before what it has read. */
async function readByGrype(path: string): Promise<{ gathered: number; distro: string | undefined }> {
  const env = { HOME: folder, GRYPE_DB_AUTO_UPDATE: 'false', GRYPE_CHECK_FOR_APP_UPDATE: 'false', GRYPE_DB_CACHE_DIR: join(folder, 'db') }
  const failed = await promisify(execFile)(grype ?? '', [`sbom:${path}`, '-v'], { env, cwd: folder, timeout: 60_000 }).catch(
    (error: unknown) => error,
  )
  const { stderr = '' } = failed as { stderr?: string }
  const gathered = /gathered packages packages=(\d+)/.exec(stderr)?.[1]
  assert.ok(gathered !== undefined, stderr)
  return { gathered: Number(gathered), distro: /using distro: (.*)/.exec(stderr)?.[1]?.trim() }
}
