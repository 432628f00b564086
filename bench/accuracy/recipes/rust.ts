// A program of Rust with the list that cargo-auditable links in.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { named } from '../named.ts'
import { type Recipe, rowsOf, shell } from '../recipe.ts'

const source = `fn main() {
    let text = serde_json::json!({ "at": time::OffsetDateTime::UNIX_EPOCH.unix_timestamp(), "url": url::Url::parse("a:b").unwrap().as_str() });
    println!("{} {}", text, regex::Regex::new("a+").unwrap().is_match("aa"));
}
`

export const rust: readonly Recipe[] = [
  {
    name: 'rust',
    what: 'a Rust program by cargo-auditable, stripped: `cargo tree`',
    async make({ layer, work }) {
      const bin = join(await layer(), 'usr', 'local', 'bin')
      const app = join(work, 'shop')
      await shell('cargo init --quiet --vcs none --name shop shop', work)
      await writeFile(join(app, 'src', 'main.rs'), source)
      await shell(
        `cargo add --quiet serde_json@=1.0.100 time@=0.3.20 url@=2.4.0 regex@=1.9.1
         export PATH="$PATH:$HOME/.cargo/bin:\${CARGO_AUDITABLE:-}"
         cargo auditable build --quiet --release --config profile.release.strip=true
         mkdir -p "$BIN" && cp target/release/shop "$BIN/"`,
        app,
        { BIN: bin },
      )
      // Macros run in the compiler, and are no part of the program.
      const printed = await shell("cargo tree --edges normal,no-proc-macro --prefix none --format '{p}' --no-dedupe", app)
      const packages = rowsOf(printed.replaceAll(' v', '\t')).map(([name = '', version = '']) =>
        named('cargo', name, version.split(' ')[0] ?? ''),
      )
      // Its standard library is in no list of cargo's, and in the program all the same.
      const compiler = (await shell('rustc --version', app)).split(' ')[1] ?? ''
      return {
        packages: packages.filter(({ name }) => name !== 'shop'),
        either: [named('cargo', 'shop', '0.1.0'), named('cargo', 'std', compiler)],
      }
    },
  },
]
