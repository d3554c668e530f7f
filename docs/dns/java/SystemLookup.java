import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.Security;
import java.util.Scanner;
import java.util.StringJoiner;

/** Asks whom the system asks, and keeps nothing of it. Reads lines of `NAME TYPE`, and prints what there is for each. */
public class SystemLookup {
    public static void main(String[] args) {
        // Before the first look-up of the process, or as lines of conf/security/java.security: by default addresses are kept for 30 s,
        // and for 10 s that there are none.
        Security.setProperty("networkaddress.cache.ttl", "0");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        for (Scanner lines = new Scanner(System.in); lines.hasNextLine(); ) {
            String[] asked = lines.nextLine().split(" ");
            StringJoiner records = new StringJoiner("\t").setEmptyValue("nothing");
            try {
                for (InetAddress address : InetAddress.getAllByName(asked[0])) {
                    if (address instanceof Inet4Address == asked[1].equals("A")) {
                        records.add(address.getHostAddress());
                    }
                }
            } catch (UnknownHostException e) {
                // Whether the name exists is not told.
            }
            System.out.println(records);
        }
    }
}
