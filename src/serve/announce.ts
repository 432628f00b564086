/** Shows a generated password of the first user, once. */
export function announceAdmin({ generated }: { generated?: { password: string; file: string } }, write: (text: string) => void): void {
  if (generated === undefined) return
  write(`\n  First user: admin   password: ${generated.password}\n  (shown once; kept in ${generated.file})\n\n`)
}
