/** Folders of these names, inside of a package, hold what its tests and examples need, and no package that is used. */
const names =
  /^(?:tests?|__tests?__|specs?|e2e|fixtures?|__fixtures__|test-?fixtures|testdata|test-data|mocks?|__mocks__|examples?|demos?|samples?|bench(?:marks?)?)$/i

/** In: the folders between the root of a package and what looks like another. Out: whether that one is only pretended. */
export function isPretended(folders: readonly string[]): boolean {
  return folders.some((folder) => names.test(folder))
}
