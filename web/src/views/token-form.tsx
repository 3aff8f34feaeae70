import { useEffect, useRef, useState } from "preact/hooks";
import { logIn, reach } from "../client/api.ts";
import { useStore } from "../client/use-store.ts";

/** Asks for the token of the address that the page came from. */
export function TokenForm() {
  const reached = useStore(reach);
  const wasRefused = reached.state === "unauthorized" && reached.refused;
  const [token, setToken] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Token · Lacewing";
    input.current?.focus();
  }, []);
  const enter = (event: Event): void => {
    event.preventDefault();
    if (token.trim() !== "") logIn(token.trim());
  };
  return (
    <main class="token">
      <form onSubmit={enter}>
        <h1>Lacewing</h1>
        <p>
          This address asks for a token: the line in its <code>token-file</code>. It is kept until you close
          the tab.
        </p>
        <label for="token">Token</label>
        <input
          id="token"
          ref={input}
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          aria-invalid={wasRefused}
          aria-describedby="token-problem"
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
        <p id="token-problem" class="bad" role="alert">
          {wasRefused ? "That was not the token of this address." : ""}
        </p>
        <button type="submit" class="main">
          Enter
        </button>
      </form>
    </main>
  );
}
