// A store as a year leaves it: 100,000 manifests with tags over 10,000 repositories, one of which has 10,000 tags, with all that
// belongs to them. The same for the same COUNT, but for the advisories that this version brings. A folder that stands is left as it is.
// Run: sh bin/run bench/age.ts FOLDER [COUNT]
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ensureDatabase } from '../src/advisories/ensure.ts'
import { openAdvisories } from '../src/advisories/database.ts'
import { extractorRevision } from '../src/inventory/extractors.ts'
import { policies } from '../src/judge/policy.ts'
import { thisStep } from '../src/store/records/migrate.ts'
import { checkAge } from './age/check.ts'
import { pushModels } from './age/models.ts'
import { writeYear } from './age/year.ts'

const seed = 1
const [, , given, count = '100000'] = process.argv
if (given === undefined || !/^[1-9]\d{2,6}$/.test(count)) {
  console.error('age.ts FOLDER [COUNT]: COUNT is from 100 to 9999999')
  process.exit(2)
}
const folder = resolve(given)
const [marker, unfinished] = [join(folder, 'age.json'), join(folder, 'age-unfinished.json')]
const began = performance.now()

if (await standsAlready()) say('stands already')
else {
  begin()
  const models = await pushModels(folder)
  say(`${models.length} images were pushed and judged by a server`)
  const year = await writeYear(folder, models, { count: Number(count), seed }, say)
  await checkAge(folder, year, say)
  await finish()
}

/** Made by this version, of these figures: else it would be judged anew at the first start, or holds something else. */
async function standsAlready(): Promise<boolean> {
  return existsSync(marker) && readFileSync(marker, 'utf8') === (await form())
}

async function form(): Promise<string> {
  await ensureDatabase(folder)
  const advisories = openAdvisories(folder)
  const { revision } = advisories
  advisories.close()
  const made = { count: Number(count), seed, schema: thisStep(), extractors: extractorRevision, policy: policies.balanced.revision }
  return `${JSON.stringify({ ...made, advisories: revision })}\n`
}

/** What is no aged store, in whole or in part, is not touched. */
function begin(): void {
  if (existsSync(marker) || existsSync(unfinished)) rmSync(folder, { recursive: true })
  else if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} holds something else`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(unfinished, '')
}

async function finish(): Promise<void> {
  writeFileSync(marker, await form())
  rmSync(unfinished)
}

function say(text: string): void {
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`)
}
