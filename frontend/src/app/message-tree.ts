// Puts locale files into one tree: src/features/hosts/agents/… is found under `hosts.agents`, src/ui/… under `ui`.

export type Messages = Record<string, unknown>

export function messageTree(files: Record<string, Messages>): Messages {
  const tree: Messages = {}
  for (const [path, messages] of Object.entries(files)) {
    const place = path.replace(/^(\.\.\/)*(\.\/)?/, '').split('/').slice(0, -1)
    const keys = place[0] === 'features' ? place.slice(1) : place.length > 0 ? place : ['app']
    let node = tree
    for (const key of keys.slice(0, -1)) node = (node[key] ??= {}) as Messages
    const last = keys.at(-1) as string
    node[last] = { ...(node[last] as Messages | undefined), ...messages }
  }
  return tree
}
