// The table: an image after the other, and all of them together.
import { keptIn, type Recipe } from './recipe.ts'
import { type Lister, peers } from './scanners.ts'
import { type Score, scoreOf, together, type Truth } from './score.ts'

export interface Comparison {
  /** Where images are kept. */
  folder: string
  listers: readonly Lister[]
  /** Whether what was missed and made up is shown by name. */
  differences: boolean
}

/** Prints as it goes. Out: whether every image could be made, and listed by everyone. */
export async function printAccuracy(recipes: readonly Recipe[], comparison: Comparison): Promise<boolean> {
  const { listers, folder } = comparison
  const named = listers.map(({ name, version }) => `${name} ${version}`).join(', ')
  const absent = peers.filter((name) => listers.every((one) => one.name !== name))
  console.log(
    `${new Date().toISOString().slice(0, 10)}: ${named}.${absent.length > 0 ? ` Not on this machine, so left out: ${absent.join(', ')}.` : ''}`,
  )
  console.log('Each cell: recall, precision, and how many were missed and made up.\n')
  console.log(
    `| image | holds, and is listed by | packages | ${listers.map(({ name }) => name).join(' | ')} |\n|---|---|---|${listers.map(() => '---|').join('')}`,
  )
  const scores = new Map<string, Score[]>(listers.map(({ name }) => [name, []]))
  const details: string[] = []
  let whole = true
  for (const recipe of recipes) {
    const made = await keptIn(folder, recipe).catch((error: unknown) => oneLine(error))
    if (typeof made === 'string') {
      console.log(`| ${recipe.name} | ${recipe.what} | could not be made: ${made} | ${listers.map(() => '|').join(' ')}`)
      whole = false
      continue
    }
    const cells: string[] = []
    for (const lister of listers) {
      const score = await scored(lister, made)
      if (typeof score === 'string') whole = false
      else {
        scores.get(lister.name)?.push(score)
        details.push(...differencesOf(`${recipe.name}, ${lister.name}`, score))
      }
      cells.push(typeof score === 'string' ? `failed: ${score}` : shown(score))
    }
    console.log(
      `| ${recipe.name} | ${recipe.what} | ${new Set(made.truth.packages.map(({ type, name, version }) => `${type} ${name} ${version}`)).size} | ${cells.join(' | ')} |`,
    )
  }
  const sums = listers.map(({ name }) => shown(together(scores.get(name) ?? [])))
  console.log(`| all | | | ${sums.join(' | ')} |`)
  if (comparison.differences) console.log(`\n${details.join('\n')}`)
  return whole
}

async function scored(lister: Lister, { archive, truth }: { archive: string; truth: Truth }): Promise<Score | string> {
  return lister.list(archive).then(
    (found) => scoreOf(truth, found),
    (error: unknown) => oneLine(error),
  )
}

function shown({ recall, precision, missed, extra }: Score): string {
  const wrong = missed.length + extra.length === 0 ? '' : ` (−${missed.length}, +${extra.length})`
  return `${percent(recall)}, ${percent(precision)}${wrong}`
}

/** Never rounded up to what it is not. */
function percent(share: number): string {
  return share === 1 ? '100' : (Math.floor(share * 1000) / 10).toFixed(1)
}

function differencesOf(what: string, { missed, extra }: Score): string[] {
  return [...missed.map((key) => `${what}: − ${key}`), ...extra.map((key) => `${what}: + ${key}`)]
}

function oneLine(error: unknown): string {
  return String(error).replaceAll(/\s+/g, ' ').replaceAll('|', '/').slice(0, 500)
}
