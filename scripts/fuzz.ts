// Changes at random to whatever foreign bytes are read: each reader must end, say what it read, or say what is wrong.
// A case is made anew from its seed, target and number: `--from 712 --count 1 WORD` runs one again, and --keep lays its bytes down.
// Run: sh bin/run scripts/fuzz.ts [--count N] [--seed S] [--from N] [--keep FOLDER] [WORD…], the words picking targets
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { allTargets, CaseFailed, runTarget } from './fuzz/targets.ts'

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '6' },
    from: { type: 'string', default: '0' },
    keep: { type: 'string' },
  },
})
const [count, seed, from] = [values.count, values.seed, values.from].map((text) => {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${text} is no number of cases`)
  return Number(text)
}) as [number, number, number]

const targets = (await allTargets()).filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
if (targets.length === 0) throw new Error(`no target has ${words.join(' or ')} in its name`)
let failures = 0
let cases = 0
for (const target of targets) {
  const began = performance.now()
  try {
    await runTarget(target, { seed, from, count })
    console.log(`${target.name}: ${count} cases in ${((performance.now() - began) / 1000).toFixed(1)} s`)
    cases += count
  } catch (error) {
    if (!(error instanceof CaseFailed)) throw error
    failures++
    console.log(error.message)
    if (values.keep !== undefined) keep(values.keep, target.name, error.bytes)
  }
}
console.log(`${targets.length} targets, ${cases} cases that held, ${failures} targets that failed`)
process.exitCode = failures > 0 ? 1 : 0

function keep(folder: string, name: string, bytes: Buffer): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name.replaceAll(/[^\w.-]+/g, '_')), bytes)
}
