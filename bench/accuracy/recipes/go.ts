// Programs of Go, linked in each way that leaves less of them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { named } from '../named.ts'
import { type Recipe, shell } from '../recipe.ts'
import type { Truth } from '../score.ts'

const modules =
  'gopkg.in/yaml.v3@v3.0.0 golang.org/x/text@v0.3.7 github.com/google/uuid@v1.6.0 golang.org/x/net@v0.0.0-20220722155237-a158d28d115b'
const source = `package main

import (
	"fmt"
	"github.com/google/uuid"
	"golang.org/x/net/html"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

func main() {
	out, _ := yaml.Marshal(map[string]any{"id": uuid.New(), "tag": language.English, "html": html.EscapeString("<")})
	fmt.Print(string(out))
}
`

export const go: readonly Recipe[] = [
  {
    name: 'go',
    what: 'Go programs: plain, stripped, position-independent, for Windows, by Go 1.22 with an experiment, with a pseudo-version: `go version -m`',
    async make({ layer, work }) {
      const bin = join(await layer(), 'usr', 'local', 'bin')
      await writeFile(join(work, 'main.go'), source)
      await shell(`mkdir -p "$BIN" && go mod init example.org/shop && go mod edit -go=1.21 && go get ${modules} && go mod tidy`, work, {
        BIN: bin,
      })
      const build = (options: string, out: string, more: Record<string, string> = {}) =>
        shell(`go build -buildvcs=false ${options} -o "$BIN/${out}" .`, work, { BIN: bin, CGO_ENABLED: '0', ...more })
      await build('', 'plain')
      await build('-trimpath -ldflags="-s -w"', 'stripped')
      await build('-buildmode=pie', 'pie')
      await build('', 'shop.exe', { GOOS: 'windows' })
      await build('', 'older', { GOTOOLCHAIN: 'go1.22.1', GOEXPERIMENT: 'loopvar' })
      return truthOf(await shell('go version -m "$BIN"/*', work, { BIN: bin }))
    },
  },
]

/** `FILE: go1.26.8 X:…`, then tabs and `mod`, `dep`, or `=>` for what replaces the line above. */
export function truthOf(printed: string): Truth {
  const packages = []
  const either = []
  for (const line of printed.split('\n')) {
    const toolchain = /^\S.*: (go\d\S*)/.exec(line)?.[1]
    if (toolchain !== undefined) packages.push(named('golang', 'stdlib', toolchain))
    const [word, name = '', version = ''] = line.trim().split('\t')
    if (word === 'mod') either.push(named('golang', name, version), named('golang', name, ''))
    if (word === '=>') packages.pop()
    if (word === 'dep' || word === '=>') packages.push(named('golang', name, version))
  }
  return { packages, either }
}
