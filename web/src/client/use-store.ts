import { useEffect, useState } from "preact/hooks";
import type { Store } from "./store.ts";

export function useStore<Value>(store: Store<Value>): Value {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    // it may have changed between the first drawing and now
    setValue(store.value);
    return store.subscribe(setValue);
  }, [store]);
  return value;
}
