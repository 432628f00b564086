// Writes the rosters: one file of static imports per folder of plug-ins, so that adding a plug-in is adding its file,
// while go-to-definition still works. `--check` writes nothing, and fails where a roster is stale.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { rosters } from './rosters.ts'
import type { Roster } from './rosters.ts'

/** `lineWidth` of biome.json. */
const lineChars = 140
const repository = join(import.meta.dirname, '..')

async function main(check: boolean): Promise<void> {
  let stale = 0
  for (const roster of rosters) {
    const text = await render(roster)
    if (text === (await currentText(roster))) continue
    if (check) console.error(`${roster.file} is stale: run npm run generate`)
    else await writeFile(join(repository, roster.file), text)
    stale++
  }
  console.error(check ? `${rosters.length} rosters read, ${stale} stale` : `${rosters.length} rosters read, ${stale} written`)
  if (check && stale > 0) process.exitCode = 1
}

/** As the formatter lays it out: on one line where it fits. */
function listOf(start: string, names: string[]): string {
  const line = `${start}${names.join(', ')}]`
  return line.length <= lineChars ? line : [start, ...names.map((name) => `  ${name},`), ']'].join('\n')
}

/** In: a roster. Out: the text that its file should have. Throws where the folder holds no plug-in, or one with no such export. */
export async function render(roster: Roster): Promise<string> {
  const files = (await readdir(join(repository, roster.folder))).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')).sort()
  if (files.length === 0) throw new Error(`${roster.folder} holds no plug-in`)
  for (const file of files) await checkExport(roster, file)
  const from = (target: string) => `./${relative(dirname(roster.file), target)}`
  const names = files.map(exportName)
  return [
    `// Made by scripts/generate.ts from ${roster.folder}: don't edit it, add a file there.`,
    `import type { ${roster.type.name} } from '${from(roster.type.file)}'`,
    ...files.map((file, at) => `import { ${names[at]} } from '${from(join(roster.folder, file))}'`),
    ...(roster.imports ?? []),
    '',
    listOf(`export const ${roster.constant}: readonly ${roster.type.name}[] = [`, names),
    ...(roster.footer ?? []),
    '',
  ].join('\n')
}

/** `cisa-kev.ts` exports `cisaKev`. */
export function exportName(file: string): string {
  return basename(file, '.ts').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

async function checkExport(roster: Roster, file: string): Promise<void> {
  const path = join(roster.folder, file)
  const text = await readFile(join(repository, path), 'utf8')
  if (!new RegExp(`^export const ${exportName(file)}\\b`, 'm').test(text))
    throw new Error(`${path} does not export a const ${exportName(file)}`)
}

async function currentText(roster: Roster): Promise<string | undefined> {
  try {
    return await readFile(join(repository, roster.file), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

if (import.meta.main) await main(process.argv.includes('--check'))
