// Arguments typed on one line, split as a shell would: blanks separate, quotes keep together, a backslash escapes.

export interface Parsed {
  args: string[]
  /** A quote was opened and not closed. */
  unclosed: boolean
}

// One piece of a word: 'single', "double" (escapes inside), \\x, or plain characters; else blanks; else a lone quote.
const PIECE = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)|(\s+)|(["'\\])/g

export function parseArguments(text: string): Parsed {
  const args: string[] = []
  let word: string | null = null
  let unclosed = false
  for (const [, single, double, escaped, plain, blank, lone] of text.matchAll(PIECE)) {
    if (blank !== undefined) {
      if (word !== null) args.push(word)
      word = null
      continue
    }
    if (lone === '"' || lone === "'") unclosed = true
    word = (word ?? '') + (single ?? double?.replaceAll(/\\([\s\S])/g, '$1') ?? escaped ?? plain ?? lone ?? '')
  }
  if (word !== null) args.push(word)
  return { args, unclosed }
}

export function formatArguments(args: readonly string[]): string {
  return args.map((one) => (/^[\w@%+=:,./-]+$/.test(one) ? one : `'${one.replaceAll("'", `'\\''`)}'`)).join(' ')
}
