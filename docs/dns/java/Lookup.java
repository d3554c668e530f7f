import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Scanner;
import javax.naming.Context;
import javax.naming.NameNotFoundException;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;

/** Asks the agent on this host, by JNDI: SRV records, too. Reads lines of `NAME TYPE`, and prints what there is for each. */
public class Lookup {
    public static void main(String[] args) throws NamingException {
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
        environment.put(Context.PROVIDER_URL, "dns://127.0.0.1:8753");
        InitialDirContext agent = new InitialDirContext(environment);
        for (Scanner lines = new Scanner(System.in); lines.hasNextLine(); ) {
            String[] asked = lines.nextLine().split(" ");
            try {
                Attribute found = agent.getAttributes(asked[0], new String[] {asked[1]}).get(asked[1]);
                List<String> records = new ArrayList<>();
                for (int i = 0; found != null && i < found.size(); i++) {
                    records.add(found.get(i).toString());
                }
                System.out.println(records.isEmpty() ? "NODATA" : String.join("\t", records));
            } catch (NameNotFoundException e) {
                System.out.println("NXDOMAIN");
            }
        }
    }
}
