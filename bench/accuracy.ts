// What `lazaret sbom` lists of an image beside what Trivy, Grype and OSV-Scanner list, and the truth: what the package managers' own
// programs list of it. Each image is made once by the real tools and kept in FOLDER with its truth. A scanner is taken where it is
// found, on the PATH or in the tools folder, and left out by name where not: docs/comparison.md says how each is built.
// Recall is the share of the truth that was found, precision the share of what was found that is in the truth; type, name and
// version have to be right. Programs without a package are in no manager's list, and are not counted.
// Needs root, the package registries the first time, and debootstrap, npm, python3, mvn, go, cargo with cargo-auditable (also in
// the folder that CARGO_AUDITABLE names), composer, gem, rpm; an image that can't be made is named with the reason.
// With --places, small images of where scanners are known to err, in place of those: they need none of that.
// With --findings, what each of them finds of the same records.
// Run: sh bin/run bench/accuracy.ts FOLDER [--places | --findings] [--differences] [WORD…], the words picking images
import { mkdirSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { printFindings } from './accuracy/findings.ts'
import { places } from './accuracy/places.ts'
import { recipes } from './accuracy/recipes.ts'
import { sharedRecipes } from './accuracy/recipes/shared.ts'
import { listersIn } from './accuracy/scanners.ts'
import { printAccuracy } from './accuracy/table.ts'
import { removeAtEnd } from './server.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    differences: { type: 'boolean', default: false },
    places: { type: 'boolean', default: false },
    findings: { type: 'boolean', default: false },
  },
})
const [kept, ...words] = positionals
if (kept === undefined) throw new Error('usage: bench/accuracy.ts FOLDER [--places | --findings] [--differences] [WORD…]')

const folder = resolve(kept)
mkdirSync(folder, { recursive: true })
const run = await mkdtemp(join(folder, 'run-'))
removeAtEnd(run)
const { there, absent } = values.places ? { there: places, absent: [] } : withShared()
const chosen = there.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
if (chosen.length === 0) throw new Error(`no image has ${words.join(' or ')} in its name: ${there.map(({ name }) => name).join(', ')}`)
if (absent.length > 0) console.log(`Without the shared data, so left out: ${absent.join(', ')}.`)
if (values.findings) await printFindings(chosen, folder, run)
else if (!(await printAccuracy(chosen, { folder, listers: await listersIn(run), differences: values.differences }))) process.exitCode = 1

function withShared() {
  const { there: shared, absent: without } = sharedRecipes()
  return { there: [...recipes, ...shared], absent: without }
}
