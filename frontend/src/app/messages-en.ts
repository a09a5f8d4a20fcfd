import { type Messages, messageTree } from './message-tree'

export const messages = messageTree(
  import.meta.glob<Messages>(['../ui/locale.en.json', './locale.en.json', '../features/*/*/locale.en.json'], { eager: true, import: 'default' }),
)
