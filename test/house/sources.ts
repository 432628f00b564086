import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** Out: the paths of tracked kinds of text under these folders, from the root, sorted. */
export function sourceFiles(...folders: string[]): string[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx,sh}`, { cwd: root, exclude: (path) => path.includes('node_modules') }))
    .sort()
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Files that only tests use: they may set the scene with any stage. */
export function isForTests(path: string): boolean {
  return /\.(?:test|testing)\.tsx?$|\/test-support\.ts$|\/(?:testing|suites)\//.test(path)
}

/**
 * In: TypeScript. Out: every module that it names, however: `from`, bare `import`, `import()`, `require()`, and any quoted
 * relative path to a .ts file, which is how workers are started. A comment that names one counts too: better one too many.
 */
export function modulesNamedIn(source: string): string[] {
  const forms = [
    /\bfrom\s*(['"])([^'"\n]+)\1/g,
    /\bimport\s*\(?\s*(['"`])([^'"`\n]+)\1/g,
    /\brequire(?:\.resolve)?\s*\(\s*(['"`])([^'"`\n]+)\1/g,
    /\bimport\.meta\.resolve\s*\(\s*(['"`])([^'"`\n]+)\1/g,
    /(['"`])(\.{1,2}\/[^'"`\n]*\.tsx?)\1/g,
  ]
  return [...new Set(forms.flatMap((form) => Array.from(source.matchAll(form), (match) => match[2] ?? '')))]
}

/** Out: dynamic imports whose target can't be read from the text, as they stand. */
export function computedImports(source: string): string[] {
  return Array.from(source.matchAll(/\bimport\s*\(\s*(?!['"])[^)\n]{0,80}/g), (match) => match[0])
}
